#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The product's story, told with a real database: create, use, back up, lose a row, restore, delete.

Starts the control plane on a scratch home below .build, talks to it as any REST client does, and leaves nothing behind.
"""
import argparse
import os
import subprocess
import sys
import time

from plane import Client, ControlPlane, PlaneError, sql


class Story:
    """Prints what happens, with times."""

    def __init__(self):
        self.began = time.monotonic()

    def tell(self, text):
        print(f"[{time.monotonic() - self.began:7.2f} s] {text}", flush=True)


def wait_active(client, identifier, seconds=600):
    path = f"/instances/{identifier}"
    return client.wait(path, "instance", "ACTIVE", {"ERROR", "FAILED", "GONE"}, seconds)


def tell_story(plane, story):
    client = Client(plane)
    story.tell(f"serving at {plane.url}")

    began = time.monotonic()
    body = {"instance": {"name": "story", "flavorRef": "1", "volume": {"size": 1}, "datastore": {"type": "mariadb"}}}
    first = client.call("POST", "/instances", body)["instance"]["id"]
    instance = wait_active(client, first)
    address = instance["addresses"][0]["address"]
    story.tell(f"instance ACTIVE at {address} after {time.monotonic() - began:.2f} s (the first one waits for its template)")

    password = os.urandom(12).hex()
    client.call("POST", f"/instances/{first}/databases", {"databases": [{"name": "shop"}]})
    user = {"name": "clerk", "password": password, "databases": [{"name": "shop"}]}
    client.call("POST", f"/instances/{first}/users", {"users": [user]})
    story.tell("database 'shop' and user 'clerk' made")

    sql(address, "clerk", password, "shop",
        "CREATE TABLE fruit (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO fruit VALUES (1,'apple'),(2,'pear'),(3,'plum')")
    count = sql(address, "clerk", password, "shop", "SELECT COUNT(*) FROM fruit")
    story.tell(f"'clerk' wrote {count} rows through the engine's own client")

    began = time.monotonic()
    backup = client.call("POST", "/backups", {"backup": {"name": "evening", "instance": first}})["backup"]["id"]
    client.wait(f"/backups/{backup}", "backup", "COMPLETED", {"FAILED", "GONE"}, 300)
    story.tell(f"backup COMPLETED after {time.monotonic() - began:.2f} s")

    sql(address, "clerk", password, "shop", "DELETE FROM fruit WHERE id = 2")
    story.tell("the pear is deleted: " + sql(address, "clerk", password, "shop", "SELECT GROUP_CONCAT(name) FROM fruit"))

    began = time.monotonic()
    body["instance"].update(name="restored", restorePoint={"backupRef": backup})
    second = client.call("POST", "/instances", body)["instance"]["id"]
    restored = wait_active(client, second)["addresses"][0]["address"]
    names = sql(restored, "clerk", password, "shop", "SELECT GROUP_CONCAT(name ORDER BY id) FROM fruit")
    if names != "apple,pear,plum":
        raise PlaneError(f"the restored rows are {names!r}")
    story.tell(f"restored into a second instance after {time.monotonic() - began:.2f} s; the pear is back: {names}")

    for identifier in (first, second):
        client.call("DELETE", f"/instances/{identifier}")
    client.call("DELETE", f"/backups/{backup}")
    for path in (f"/instances/{first}", f"/instances/{second}", f"/backups/{backup}"):
        deadline = time.monotonic() + 120
        while client.call("GET", path) is not None:
            if time.monotonic() > deadline:
                raise PlaneError(f"{path} is still there after two minutes")
            time.sleep(0.05)
    plane.audit()
    story.tell("everything deleted; the audit finds nothing")


def leftovers(home):
    """What of this home is still on the host."""
    found = []
    with open("/proc/self/mountinfo") as file:
        found += ["mount " + line.split()[4] for line in file if home in line]
    for name in os.listdir("/sys/block"):
        backing = f"/sys/block/{name}/loop/backing_file"
        if os.path.exists(backing):
            with open(backing) as file:
                path = file.read().strip()
            if path.startswith(home):
                found.append("loop device " + name)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if home.encode() in file.read() and int(pid) != os.getpid():
                    found.append("process " + pid)
        except OSError:
            continue
    claims = os.path.join(os.environ.get("TROVE_RUN_DIR", "/run/trove"), "claims")
    for folder, _, names in os.walk(claims):
        for name in names:
            with open(os.path.join(folder, name), errors="replace") as file:
                if home in file.read():
                    found.append("claim " + name)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="release", choices=["debug", "release"])
    parser.add_argument("--binary", help="an installed trove, instead of the one that was built")
    arguments = parser.parse_args()
    story = Story()
    plane = None
    try:
        story.tell("starting the control plane on a scratch home")
        plane = ControlPlane(arguments.config, binary=arguments.binary)
        tell_story(plane, story)
        plane.stop()
        plane.purge()
        left = leftovers(plane.home)
        if left or os.path.exists(plane.home):
            raise PlaneError("left behind: " + ", ".join(left or [plane.home]))
        os.remove(plane.log_path)
        story.tell("stopped; nothing is left behind")
        return 0
    except (PlaneError, OSError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        if plane:
            plane.purge()
            print(f"demo: everything is removed; the control plane's log is kept in {plane.log_path}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
