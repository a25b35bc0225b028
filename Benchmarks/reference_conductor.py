# SPDX-License-Identifier: Apache-2.0
"""The reference service's conductor on the same broker and database server, as its own programs run it."""
import os
import signal
import subprocess
import time

from plane import ROOT, PlaneError
from processes import identifier, name, seconds, tree

PROGRAMS = os.path.join(ROOT, ".build", "upstream", "bin")
DATABASE = "trove_reference"
GUESTS = 1000


class Reference:
    """One worker, plain messages; its database has the statuses of GUESTS instances."""

    def __init__(self, stage):
        self.stage = stage
        self.process = None
        subprocess.run([os.path.join(ROOT, "scripts", "upstream")], check=True)
        folder = os.path.join(stage.folder, "reference")
        os.makedirs(folder)
        self.config = os.path.join(folder, "trove.conf")
        self.log = os.path.join(folder, "log")
        mariadb, rabbitmq = stage.document["mariadb"], stage.document["rabbitmq"]
        lines = [
            "[DEFAULT]", "host = 127.0.0.1", "enable_secure_rpc_messaging = False", "trove_conductor_workers = 1",
            # No more handlers than its pool has connections, or it loses messages and spends itself on saying so.
            "executor_thread_pool_size = 32",
            f"transport_url = rabbit://trove:{stage.password('rabbitmq', 'trove')}@{rabbitmq['host']}:{rabbitmq['port']}//",
            "[database]",
            f"connection = mysql+pymysql://trove:{stage.password('mariadb', 'trove')}@{mariadb['host']}:{mariadb['port']}"
            f"/{DATABASE}?charset=utf8",
            "[oslo_messaging_notifications]", "driver = noop",
        ]
        with open(os.open(self.config, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        stage.sql(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb3")
        self.run("trove-manage", "db_sync")
        values = ",".join(
            f"('{identifier(guest)}', '{identifier(guest)}', 33, 'healthy', UTC_TIMESTAMP())" for guest in range(GUESTS))
        stage.sql(
            "INSERT INTO service_statuses (id, instance_id, status_id, status_description, updated_at) VALUES " + values,
            "INSERT INTO conductor_lastseen (instance_id, method_name, sent) SELECT instance_id, 'heartbeat', 1 FROM service_statuses",
            database=DATABASE)

    def run(self, program, *words):
        done = subprocess.run(
            [os.path.join(PROGRAMS, program), "--config-file", self.config, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise PlaneError(f"{program} failed: {done.stderr.strip()[-800:]}")

    def drain(self, count):
        """A queue that is full when it starts; what its start costs is not counted."""
        self.stage.sql("UPDATE conductor_lastseen SET sent = 1", database=DATABASE)
        publisher = self.stage.publish(count, 0, "--vhost", "/", "--exchange", "openstack")
        if publisher.wait(120) != 0:
            raise PlaneError("the heartbeats could not be sent to the reference")
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [os.path.join(PROGRAMS, "trove-conductor"), "--config-file", self.config], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        try:
            self.wait(20)
            done, before, began = self.written(), self.cpu(), time.time()
            self.wait(count)
            after, taken = self.cpu(), time.time() - began
        finally:
            self.stop()
        return {"count": count - done, "seconds": taken, **{key: after[key] - before[key] for key in after}}

    def wait(self, count):
        limit = time.time() + 180
        while self.written() < count:
            if self.process.poll() is not None or time.time() > limit:
                raise PlaneError(f"the reference's conductor wrote {self.written()} of {count}; {self.log} has why")
            time.sleep(0.5)

    def written(self):
        return int(self.stage.sql("SELECT COUNT(*) FROM conductor_lastseen WHERE sent > 1", database=DATABASE))

    def cpu(self):
        below = tree(self.stage.nodes.pid)
        return {
            "conductor": sum(seconds(pid) for pid in tree(self.process.pid)),
            "database": sum(seconds(pid) for pid in below if name(pid) == "mariadbd"),
            "broker": sum(seconds(pid) for pid in below if name(pid) == "beam.smp"),
        }

    def stop(self):
        pids = tree(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(15)
