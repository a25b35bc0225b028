#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a conductor and its database need for guests' heartbeats, over a private RabbitMQ and MariaDB."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from plane import ROOT, PlaneError
from processes import identifier, name, seconds, tree
from reference_conductor import Reference

#: Commits as a server makes them by default; the nodes' own settings are for tests.
DURABLE = ["--innodb-flush-log-at-trx-commit=1", "--innodb-flush-method=fsync", "--innodb-buffer-pool-size=512M",
           "--innodb-log-file-size=96M"]


class Stage:
    """Nodes, a database with instances, and one conductor."""

    def __init__(self, config, guests):
        self.binary = os.path.join(ROOT, ".build", config, "trove")
        self.guests = guests
        self.folder = tempfile.mkdtemp(prefix="trove-bench-")
        directory = os.path.join(self.folder, "nodes")
        options = [word for option in DURABLE for word in ("--mariadb-option=" + option,)]
        self.nodes = subprocess.Popen(
            [sys.executable, "-B", os.path.join(ROOT, "scripts", "nodes.py"), "start", "--dir", directory, *options,
             "mariadb", "rabbitmq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        line = self.nodes.stdout.readline()
        if not line:
            raise PlaneError("the nodes did not start")
        self.document = json.loads(line)
        self.conductor = None
        mariadb, rabbitmq = self.document["mariadb"], self.document["rabbitmq"]
        self.environment = dict(
            os.environ, TROVE_STATE_URL=f"mariadb://trove@{mariadb['host']}:{mariadb['port']}/trove", TROVE_STATE_TLS="off",
            TROVE_STATE_PASSWORD_FILE=mariadb["trove"]["password_file"],
            TROVE_BUS_URL=f"rabbit://trove@{rabbitmq['host']}:{rabbitmq['port']}/trove", TROVE_BUS_ENCRYPTION="false",
            TROVE_BUS_PASSWORD_FILE=rabbitmq["trove"]["password_file"], TROVE_BUS_MANAGEMENT_URL=rabbitmq["management_url"],
            TROVE_BUS_MANAGEMENT_USER=rabbitmq["admin"]["user"],
            TROVE_BUS_MANAGEMENT_PASSWORD_FILE=rabbitmq["admin"]["password_file"])

    def password(self, node, account):
        with open(self.document[node][account]["password_file"]) as file:
            return file.read().strip()

    def sql(self, *statements, database="trove"):
        mariadb = self.document["mariadb"]
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--protocol=tcp", "-h", mariadb["host"], "-P", str(mariadb["port"]), "-u", "trove", "-N",
             "-B", database], input=";\n".join(statements) + ";\n", env=dict(os.environ, MYSQL_PWD=self.password("mariadb", "trove")),
            capture_output=True, text=True)
        if done.returncode != 0:
            raise PlaneError(done.stderr.strip())
        return done.stdout

    def upgrade(self):
        self.run("db", "upgrade", "--home", os.path.join(self.folder, "home"))

    def run(self, *words):
        done = subprocess.run([self.binary, *words], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise PlaneError(f"trove {' '.join(words[:2])} failed: {done.stderr.strip()}")

    def seed(self):
        """Instances that have been told of once, so that their marks are there as they are in a running installation."""
        now = int(time.time() * 1_000_000)
        columns = self.columns("instances")
        rows = {
            "tenant_id": "'bench'", "flavor_id": "'1'", "volume_size": "1", "datastore_version_id": "'v1'", "deleted": "0",
            "task_id": "1", "server_status": "'ACTIVE'", "plugins": "'{}'", "version": "0",
        }
        self.sql(
            "SET foreign_key_checks = 0",
            *(self.insert("instances", columns, [
                dict(rows, id=f"'{identifier(guest)}'", name=f"'i{guest}'") for guest in range(begin, min(begin + 1000, self.guests))
            ], now) for begin in range(0, self.guests, 1000)))
        marks = self.columns("service_statuses")
        self.sql(
            "SET foreign_key_checks = 0",
            *(self.insert("service_statuses", marks, [
                {"id": f"'{identifier(guest)}'", "instance_id": f"'{identifier(guest)}'", "status_id": "33",
                 "status_description": "'healthy'"} for guest in range(begin, min(begin + 1000, self.guests))
            ], now) for begin in range(0, self.guests, 1000)))
        self.sql("INSERT INTO conductor_lastseen (instance_id, method_name, sent) SELECT id, 'heartbeat', 1 FROM instances")

    def columns(self, table):
        lines = self.sql(
            "SELECT column_name, data_type, is_nullable, column_default IS NOT NULL, extra FROM information_schema.columns "
            f"WHERE table_schema = 'trove' AND table_name = '{table}'").splitlines()
        return {name: (kind, nullable, default, extra) for name, kind, nullable, default, extra in
                ((line.split("\t") + [""])[:5] for line in lines)}

    @staticmethod
    def insert(table, columns, rows, now):
        """One statement; what a row does not say is the time, or left out where it may be."""
        names = [name for name, (kind, nullable, default, extra) in columns.items()
                 if name in rows[0] or (nullable == "NO" and default == "0" and "auto_increment" not in extra
                                        and "GENERATED" not in extra)]

        def value(row, name):
            if name in row:
                return row[name]
            return {"datetime": "UTC_TIMESTAMP()", "timestamp": "UTC_TIMESTAMP()", "bigint": str(now)}.get(columns[name][0], "0")

        values = ",".join("(" + ",".join(value(row, name) for name in names) + ")" for row in rows)
        return f"INSERT INTO {table} ({','.join(names)}) VALUES {values}"

    def start_conductor(self):
        log = open(os.path.join(self.folder, "conductor.log"), "a")
        self.conductor = subprocess.Popen(
            [self.binary, "serve", "--role", "conductor", "--home", os.path.join(self.folder, "home")], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        limit = time.time() + 60
        while "trove: ready" not in self.said():
            if self.conductor.poll() is not None or time.time() > limit:
                raise PlaneError(f"the conductor did not start: {self.said()[-800:]}")
            time.sleep(0.1)

    def said(self):
        with open(os.path.join(self.folder, "conductor.log")) as file:
            return file.read()

    def halt(self, number):
        """SIGSTOP or SIGCONT for all of the conductor's processes."""
        for pid in tree(self.conductor.pid):
            os.kill(pid, number)

    def stop_conductor(self):
        if self.conductor:
            self.conductor.send_signal(signal.SIGTERM)
            self.conductor.wait(30)
            self.conductor = None

    def publish(self, count, rate=0, *words):
        rabbitmq = self.document["rabbitmq"]
        process = subprocess.Popen(
            [os.path.join(ROOT, ".build", "peers", "bin", "python"), os.path.join(ROOT, "Benchmarks", "heartbeats.py"),
             "--address", f"{rabbitmq['host']}:{rabbitmq['port']}", "--guests", str(self.guests), "--count", str(count), "--rate",
             str(rate), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write(self.password("rabbitmq", "trove") + "\n")
        process.stdin.close()
        return process

    def seen(self):
        """Heartbeats whose mark is stored."""
        return int(self.sql("SELECT COUNT(*) FROM conductor_lastseen WHERE sent > 1") or 0)

    def is_seen(self, guest):
        """Whether that one's is; looks at one row, so that asking costs the database next to nothing."""
        return bool(self.sql(f"SELECT 1 FROM conductor_lastseen WHERE instance_id = '{identifier(guest)}' AND sent > 1"))

    def forget(self):
        self.sql("UPDATE conductor_lastseen SET sent = 1 WHERE sent > 1")

    def newest(self):
        return float(self.sql("SELECT COALESCE(MAX(sent), 0) FROM conductor_lastseen"))

    def cpu(self):
        """Processor seconds of the conductor, the database and the broker so far."""
        return {
            "conductor": sum(seconds(pid) for pid in tree(self.conductor.pid)) if self.conductor else 0,
            "database": sum(seconds(pid) for pid in tree(self.nodes.pid) if name(pid) == "mariadbd"),
            "broker": sum(seconds(pid) for pid in tree(self.nodes.pid) if name(pid) == "beam.smp"),
        }

    def end(self):
        try:
            self.stop_conductor()
        finally:
            self.nodes.stdin.close()
            self.nodes.wait(60)
            shutil.rmtree(self.folder, ignore_errors=True)


def measure_conductor(config, guests=100_000, interval=30, duration=30, backlog=20_000, rounds=2, stage_type=Stage):
    """CPU of heartbeats of a full queue, ours and the reference's in turn, and cores while `guests` send one every `interval`
    seconds."""
    stage = stage_type(config, guests)
    try:
        stage.upgrade()
        stage.seed()
        reference = Reference(stage)
        result = {"backlog": [], "reference": []}
        stage.start_conductor()
        for _ in range(rounds):
            result["reference"].append(reference.drain(1000))
            result["backlog"].append(drain(stage, backlog))
        result["steady"] = steady(stage, guests / interval, duration)
        return result
    finally:
        stage.end()


def drain(stage, count):
    """A queue that is full when the conductor goes on, no guest twice in it."""
    stage.halt(signal.SIGSTOP)
    try:
        publisher = stage.publish(count)
        if publisher.wait(120) != 0:
            raise PlaneError("the heartbeats could not be sent")
        began, before = time.time(), stage.cpu()
    finally:
        stage.halt(signal.SIGCONT)
    while not stage.is_seen(count - 1):
        if time.time() - began > 120:
            raise PlaneError(f"only {stage.seen()} of {count} heartbeats were written")
        time.sleep(0.2)
    # The last of the queue may be written a little before others.
    time.sleep(0.5)
    taken, after = time.time() - began, stage.cpu()
    if stage.seen() != count:
        raise PlaneError(f"{stage.seen()} of {count} heartbeats were written")
    stage.forget()
    return {"count": count, "seconds": taken, **{key: after[key] - before[key] for key in after}}


def steady(stage, rate, duration):
    publisher = stage.publish(int(rate * (duration + 10)), rate)
    time.sleep(5)
    newest = stage.newest()
    began, before = time.time(), stage.cpu()
    time.sleep(duration)
    taken, after = time.time() - began, stage.cpu()
    lag = time.time() - stage.newest()
    if publisher.wait(60) != 0 or stage.newest() <= newest:
        raise PlaneError("the heartbeats were not sent or not written")
    sent = json.loads(publisher.stdout.read())
    cores = {key: (after[key] - before[key]) / taken for key in after}
    return {"wanted": rate, "rate": sent["count"] / sent["seconds"], "lag": lag, **cores}
