#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each read of a tenant's, against a route of the same server that answers a constant body of the same size."""
import os
import sqlite3
import statistics
import urllib.request
import uuid

from listing import _insert, fill, wrk

ROUNDS = 3
SECONDS = 2
BACKUPS = 100


def measure_reads(plane):
    """By name of the read: its rate, the constant route's, the ratio of the two and the body's bytes."""
    client, connection = fill(plane)
    # The one that runs is asked for the use of its volume; the other ones are shut down.
    running, stopped, version = _pattern(plane.home)
    group = connection.call("POST", "/configurations", {"configuration": {
        "name": "read", "datastore": {"type": "mariadb", "version": version},
        "values": {"max_connections": 50, "wait_timeout": 600}}})["configuration"]["id"]
    _seed_backups(plane.home, BACKUPS)
    backup = connection.call("GET", "/backups?limit=1")["backups"][0]["id"]
    reads = {
        "an instance": f"/instances/{stopped}", "a running instance": f"/instances/{running}",
        "instances in detail": "/instances/detail?limit=20", "backups": "/backups?limit=20", "a backup": f"/backups/{backup}",
        "an instance's backups": f"/instances/{running}/backups?limit=20", "datastores": "/datastores",
        "versions": "/datastores/mariadb/versions", "configurations": "/configurations",
        "a configuration": f"/configurations/{group}", "limits": "/limits", "flavors": "/flavors",
    }
    results = {}
    for name, path in reads.items():
        size = _size(client, path)
        ours, constant = [], []
        for _ in range(ROUNDS):
            ours.append(wrk(client.base + path, client.token, SECONDS))
            constant.append(wrk(f"{client.base}/x/constant?bytes={size}", client.token, SECONDS))
        # What else runs on the machine slows one half of a pair at times: the middle pair counts.
        ratio = statistics.median(one / other for one, other in zip(ours, constant))
        results[name] = {"rate": statistics.median(ours), "ratio": ratio, "bytes": size, "rounds": ROUNDS}
    return results


def _size(client, path):
    request = urllib.request.Request(client.base + path, headers={"X-Auth-Token": client.token})
    with urllib.request.urlopen(request) as response:
        return len(response.read())


def _pattern(home):
    """Ids of the instance that runs and of another one, and the version's name."""
    database = sqlite3.connect(os.path.join(home, "state", "trove.db"), timeout=30)
    running, version = database.execute(
        "SELECT i.id, v.name FROM instances i JOIN datastore_versions v ON v.id = i.datastore_version_id"
        " WHERE i.name = 'pattern'").fetchone()
    stopped, = database.execute("SELECT id FROM instances WHERE name = 'listed-7'").fetchone()
    database.close()
    return running, stopped, version


def _seed_backups(home, count):
    """Rows of backups of the first instance; no engine makes them."""
    database = sqlite3.connect(os.path.join(home, "state", "trove.db"), timeout=30)
    tenant, instance, version, created = database.execute(
        "SELECT tenant_id, id, datastore_version_id, created FROM instances WHERE name = 'pattern'").fetchone()
    with database:
        for number in range(count):
            _insert(database, "backups", {
                "id": str(uuid.uuid4()), "name": f"backup-{number}", "tenant_id": tenant, "instance_id": instance,
                "state": "COMPLETED", "location": "/nowhere", "size_bytes": 1 << 26, "checksum": "0" * 64,
                "datastore_version_id": version, "created": created, "updated": created})
    database.close()
