#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Creates: how long from POST to a login, against the floor; and what ten of them weigh."""
import http.client
import json
import os
import threading
import time
import urllib.parse

from engines import ENGINES
from floor import Floor
from plane import ROOT, Client, PlaneError

PASSWORD = "bench-Secret-1"


class Connection:
    """One keep-alive connection with a token."""

    def __init__(self, client):
        url = urllib.parse.urlparse(client.base)
        self.prefix = url.path
        self.headers = {"X-Auth-Token": client.token, "Content-Type": "application/json"}
        self.http = http.client.HTTPConnection(url.hostname, url.port, timeout=60)

    def call(self, method, path, body=None):
        data = json.dumps(body) if body is not None else None
        self.http.request(method, self.prefix + path, data, self.headers)
        response = self.http.getresponse()
        text = response.read()
        if response.status == 404:
            return None
        if response.status >= 300:
            raise PlaneError(f"{method} {path} answered {response.status}: {text.decode(errors='replace')}")
        return json.loads(text) if text else {}


def body(name, gib, backup=None, engine=None):
    engine = engine or ENGINES["mariadb"]
    instance = {"name": name, "flavorRef": "1", "volume": {"size": gib}, "datastore": {"type": engine.datastore}}
    if backup:
        instance["restorePoint"] = {"backupRef": backup}
        return {"instance": instance}
    databases = [{"name": "bench"}] if engine.has_databases else []
    instance["databases"] = databases
    instance["users"] = [{"name": "bench", "password": PASSWORD, "databases": databases}]
    return {"instance": instance}


def create(connection, name, gib=5, backup=None, poll=0.005, seconds=300, user=True, engine=None):
    """Seconds from the POST's first byte to ACTIVE and a login, the instance's id and address."""
    engine = engine or ENGINES["mariadb"]
    began = time.monotonic()
    identifier = connection.call("POST", "/instances", body(name, gib, backup, engine))["instance"]["id"]
    while True:
        instance = connection.call("GET", f"/instances/{identifier}")["instance"]
        if instance["status"] == "ACTIVE":
            break
        if instance["status"] == "ERROR" or time.monotonic() - began > seconds:
            raise PlaneError(f"{name} is {instance['status']}: {instance.get('fault')}")
        time.sleep(poll)
    address = instance["addresses"][0]["address"]
    if user:
        engine.login(address, "bench", PASSWORD)
    return time.monotonic() - began, identifier, address


def delete(connection, identifier):
    connection.call("DELETE", f"/instances/{identifier}")
    while connection.call("GET", f"/instances/{identifier}") is not None:
        time.sleep(0.02)


def measure_creates(plane, rounds, engine):
    connection = Connection(Client(plane))
    floor = Floor(os.path.join(ROOT, ".build", "bench", "floor"), engine)
    try:
        # Both are warm: the product has its template, the floor its own.
        delete(connection, create(connection, "warm-up", engine=engine)[1])
        floor.once(5, "127.19.0.2")
        floors, ours = [], []
        for number in range(rounds):
            floors.append(floor.once(5, f"127.19.1.{number + 2}"))
            seconds, identifier, _ = create(connection, f"round-{number}", engine=engine)
            ours.append(seconds)
            delete(connection, identifier)
    finally:
        floor.remove()
    return {"floor": floors, "ours": ours}


def parallel(plane, count=20, width=4):
    """How many of `count` creates succeed, `width` at a time."""
    client = Client(plane)
    numbers, made, errors = iter(range(count)), [], []
    lock = threading.Lock()

    def work():
        connection = Connection(client)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                made.append(create(connection, f"parallel-{number}")[1])
            except (PlaneError, OSError) as error:
                errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(width)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        print(f"     a create failed: {error}")
    connection = Connection(client)
    for identifier in made:
        delete(connection, identifier)
    return len(made)


def memory_of(pid):
    """RSS, PSS and USS of a process in MB."""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                values[words[0].rstrip(":")] = int(words[1]) / 1024
    return values["Rss"], values["Pss"], values["Private_Clean"] + values["Private_Dirty"]


def family(pid):
    """The process and all its descendants, whichever thread started them."""
    children = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children") as file:
            children += [int(word) for word in file.read().split()]
    return [pid] + [each for child in children for each in family(child)]


def agents(home):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/trove-guest") and any(home.encode() in word for word in words):
            found.append(int(pid))
    return found


def measure_memory(plane, count=10):
    connection = Connection(Client(plane))
    for number in range(count):
        create(connection, f"memory-{number}", gib=1)
    time.sleep(5)
    measured = [memory_of(pid) for pid in agents(plane.home)]
    if len(measured) != count:
        raise PlaneError(f"{len(measured)} agents run instead of {count}")
    processes = family(plane.process.pid)
    if len(processes) < 3:
        raise PlaneError(f"the control plane has {len(processes)} processes instead of parent, worker and plugin runner")
    control = sum(memory_of(pid)[0] for pid in processes)
    return {
        "control_rss_mb": control, "agent_pss_mb": [each[1] for each in measured],
        "agent_uss_mb": [each[2] for each in measured],
    }
