#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of 20 out of 1,000 and out of 100,000 instances on a private MariaDB, with tokens of a real Keystone."""
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scripts"))

from plane import ROOT, PlaneError  # noqa: E402
from rpc import cpu  # noqa: E402

#: What the reference service used of a processor for such a page, its database included, milliseconds; 309 statements.
REFERENCE_MS = 165
PAIRS = 30
BURST = 50
PAGE = "/instances?limit=20"


class Nodes:
    """Private MariaDB, RabbitMQ and Keystone, until `end`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="trove-bench-")
        self.directory = os.path.join(self.folder, "nodes")
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(ROOT, "scripts", "nodes.py"), "start", "--dir", self.directory,
             "--mariadb-option=--innodb-buffer-pool-size=512M", "mariadb", "rabbitmq", "keystone"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            raise PlaneError("the nodes did not start")
        self.document = json.loads(line)

    def space(self, *words):
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(ROOT, "scripts", "nodes.py"), "space", "--dir", self.directory, *words],
            capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise PlaneError(done.stderr.strip())
        return done.stdout

    def sql(self, database, text):
        mariadb = self.document["mariadb"]
        with open(mariadb["admin"]["password_file"]) as file:
            password = file.read().strip()
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--protocol=tcp", "-h", mariadb["host"], "-P", str(mariadb["port"]), "-u", "admin", "-N",
             "-B", database], input=text, env=dict(os.environ, MYSQL_PWD=password), capture_output=True, text=True)
        if done.returncode != 0:
            raise PlaneError(done.stderr.strip()[-500:])
        return done.stdout

    def database_pid(self):
        with open(os.path.join(os.path.dirname(self.document["mariadb"]["log"]), "pid")) as file:
            return int(file.read())

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


class API:
    """One API process over a database with `count` instances of one project."""

    def __init__(self, config, nodes, count):
        self.nodes, self.count = nodes, count
        space = json.loads(nodes.space("make", f"list-{count}"))
        self.database, self.openrc = space["database"], space["openrc"]
        self.home = os.path.join(nodes.folder, f"home-{count}")
        environment = dict(
            os.environ, TROVE_HOME=self.home, TROVE_LISTEN="127.0.0.1:0", TROVE_RUN_DIR=os.path.join(nodes.folder, "run"),
            TROVE_API_RATE_LIMIT_PER_MINUTE="0", TROVE_IDENTITY_REVOCATION_WINDOW="300", **space["environment"])
        binary = os.path.join(ROOT, ".build", config, "trove")
        done = subprocess.run([binary, "db", "upgrade"], env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise PlaneError("trove db upgrade: " + done.stderr)
        self.log = open(self.home + ".log", "wb")
        self.process = subprocess.Popen(
            [binary, "serve", "--role", "api"], env=environment, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)
        line = self.process.stdout.readline().decode()
        if "ready" not in line:
            with open(self.home + ".log", errors="replace") as file:
                raise PlaneError("the API did not become ready: " + file.read()[-2000:])
        self.address = line.split("//")[1].strip()
        self.token, self.project = self.login()
        self.seed()
        self.connection = http.client.HTTPConnection(self.address, timeout=30)

    def login(self):
        rc = self.openrc
        body = {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": rc["OS_USERNAME"], "domain": {"name": "Default"}, "password": rc["OS_PASSWORD"]}}},
            "scope": {"project": {"name": rc["OS_PROJECT_NAME"], "domain": {"name": "Default"}}}}}
        request = urllib.request.Request(
            rc["OS_AUTH_URL"] + "/auth/tokens", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.headers["X-Subject-Token"], json.load(response)["token"]["project"]["id"]

    def seed(self):
        """Instances that are shut down, with a version of the catalogue that the API made at its start."""
        now = int(time.time() * 1_000_000)
        version = self.nodes.sql(self.database, "SELECT id FROM datastore_versions LIMIT 1").strip()
        for begin in range(0, self.count, 1000):
            rows, marks = [], []
            for number in range(begin, min(begin + 1000, self.count)):
                identifier = uuid.uuid4()
                rows.append(
                    f"('{identifier}','listed-{number}','{self.project}','1',1,'{version}',{now},{now},0,1,'SHUTDOWN','{{}}',0)")
                marks.append(f"('{identifier}',23,'shutdown',{now})")
            self.nodes.sql(
                self.database,
                "INSERT INTO instances (id,name,tenant_id,flavor_id,volume_size,datastore_version_id,created,updated,deleted,task_id,"
                f"server_status,plugins,version) VALUES {','.join(rows)};\n"
                "INSERT INTO service_statuses (instance_id,status_id,status_description,updated_at) VALUES " + ",".join(marks) + ";")
        self.nodes.sql(self.database, "ANALYZE TABLE instances, service_statuses;")

    def get(self):
        self.connection.request("GET", f"/v1.0/{self.project}{PAGE}", headers={"X-Auth-Token": self.token})
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise PlaneError(f"the list answered {response.status}: {body[:300]}")
        return body

    def burst(self, count=BURST):
        """Seconds a request."""
        began = time.perf_counter()
        for _ in range(count):
            self.get()
        return (time.perf_counter() - began) / count

    def processes(self):
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    waiting += [int(word) for word in file.read().split()]
        return found

    def processor(self):
        return sum(cpu(pid) for pid in self.processes())

    def end(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


def examined(nodes, api, count=200):
    """Rows that the database's handlers read for one page, as its own counters say."""
    def read():
        lines = nodes.sql(api.database, "SHOW GLOBAL STATUS LIKE 'Handler_read%';").splitlines()
        return sum(int(line.split("\t")[1]) for line in lines)

    idle = read()
    base = read() - idle
    before = read()
    api.burst(count)
    return (read() - before - base) / count


def measure_shared_listing(config):
    nodes, apis = None, []
    try:
        nodes = Nodes()
        for count in (1_000, 100_000):
            apis.append(API(config, nodes, count))
        small, large = apis
        for api in apis:
            if len(json.loads(api.get())["instances"]) != 20:
                raise PlaneError("a page of 20 has another number of instances")
            api.burst(500)
        rows = [round(examined(nodes, api), 2) for api in apis]
        times = {small.count: [], large.count: []}
        for _ in range(PAIRS):
            for api in apis:
                times[api.count].append(api.burst())
        database = nodes.database_pid()
        before = small.processor(), cpu(database)
        requests = 3000
        small.burst(requests)
        each = [(after - start) / requests * 1000 for after, start in zip((small.processor(), cpu(database)), before)]
        return {
            "rows": rows, "small_ms": statistics.median(times[small.count]) * 1000,
            "large_ms": statistics.median(times[large.count]) * 1000, "api_cpu_ms": each[0], "database_cpu_ms": each[1]}
    finally:
        for api in apis:
            api.end()
        if nodes:
            nodes.end()


if __name__ == "__main__":
    print(json.dumps(measure_shared_listing(sys.argv[1] if len(sys.argv) > 1 else "release"), indent=1))
