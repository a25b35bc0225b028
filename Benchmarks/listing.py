#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of 20 out of 1,000 instances, against a route of the same server that answers a constant body."""
import os
import re
import sqlite3
import statistics
import subprocess
import urllib.request
import uuid

from create import Connection
from plane import Client, PlaneError

ROUNDS = 3


def seed(home, count=1000):
    """Rows of instances that are shut down: no agent is started for them."""
    database = sqlite3.connect(os.path.join(home, "state", "trove.db"), timeout=30)
    columns = [row[1] for row in database.execute("PRAGMA table_info(instances)")]
    sample = database.execute("SELECT * FROM instances WHERE name = 'pattern'").fetchone()
    pattern = dict(zip(columns, sample))
    services = [row[1] for row in database.execute("PRAGMA table_info(service_statuses)")]
    service = dict(zip(services, database.execute(
        "SELECT * FROM service_statuses WHERE instance_id = ?", (pattern["id"],)).fetchone()))
    with database:
        for number in range(count):
            identifier = str(uuid.uuid4())
            row = dict(pattern, id=identifier, name=f"listed-{number}", server_status="SHUTDOWN", task_id=1)
            _insert(database, "instances", row)
            status = dict(service, instance_id=identifier)
            if "id" in status:
                status.pop("id") if isinstance(status["id"], int) else status.update(id=str(uuid.uuid4()))
            _insert(database, "service_statuses", status)
    database.close()


def _insert(database, table, row):
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def wrk(url, token, seconds=5, accept="*/*"):
    """Requests a second; fails when anything but a 2xx was answered."""
    result = subprocess.run(
        ["wrk", "-t1", "-c8", f"-d{seconds}s", "-H", f"X-Auth-Token: {token}", "-H", f"Accept: {accept}", url],
        capture_output=True, text=True, timeout=seconds + 30,
    )
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", result.stdout)
    if not rate or "Non-2xx" in result.stdout:
        raise PlaneError("wrk: " + result.stdout + result.stderr)
    return float(rate.group(1))


def fill(plane):
    """Makes 1,000 instances; a client of theirs and its connection."""
    client = Client(plane)
    connection = Connection(client)
    made = connection.call("POST", "/instances", {
        "instance": {"name": "pattern", "flavorRef": "1", "volume": {"size": 1}, "datastore": {"type": "mariadb"}}})
    client.wait(f"/instances/{made['instance']['id']}", "instance", "ACTIVE", {"ERROR"}, 300)
    seed(plane.home)
    return client, connection


def measure_listing(plane):
    client, connection = fill(plane)
    page = "/instances?limit=20"
    first = connection.call("GET", page)["instances"]
    if len(first) != 20:
        raise PlaneError(f"a page of 20 has {len(first)} instances")
    renamed = first[0]["id"]
    connection.call("PUT", f"/instances/{renamed}", {"instance": {"name": "changed-before-the-request"}})
    if not any(each["name"] == "changed-before-the-request" for each in connection.call("GET", page)["instances"]):
        raise PlaneError("a row that was changed before the request is not in the answer")
    request = urllib.request.Request(client.base + page, headers={"X-Auth-Token": client.token})
    with urllib.request.urlopen(request) as response:
        size = len(response.read())
    lists, constants = [], []
    for _ in range(ROUNDS):
        lists.append(wrk(client.base + page, client.token))
        constants.append(wrk(f"{client.base}/x/constant?bytes={size}", client.token))
    return {"list": statistics.median(lists), "constant": statistics.median(constants), "bytes": size, "rounds": ROUNDS}
