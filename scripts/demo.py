#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The product's story, told with a real database: create, use, back up, lose a row, restore, delete.

Starts the control plane on a scratch home below .build, talks to it as any REST client does, and leaves nothing behind.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class DemoError(Exception):
    """Why the story could not be told to its end."""


class Story:
    """Prints what happens, with times."""

    def __init__(self):
        self.began = time.monotonic()

    def tell(self, text):
        print(f"[{time.monotonic() - self.began:7.2f} s] {text}", flush=True)


class ControlPlane:
    """`trove serve` on a scratch home."""

    def __init__(self, config):
        scratch = os.path.join(ROOT, ".build", "demo")
        os.makedirs(scratch, mode=0o711, exist_ok=True)
        self.home = tempfile.mkdtemp(prefix="home-", dir=scratch)
        self.binary = os.path.join(ROOT, ".build", config, "trove")
        self.log_path = self.home + ".log"
        self.log = open(self.log_path, "wb")
        environment = dict(os.environ, TROVE_HOME=self.home, TROVE_LISTEN="127.0.0.1:0")
        self.process = subprocess.Popen(
            [self.binary, "serve"], env=environment, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True
        )
        line = self.process.stdout.readline().decode()
        if "ready" not in line:
            raise DemoError("the control plane did not become ready:\n" + self.log_tail())
        self.url = line.split()[-1]

    def log_tail(self):
        with open(self.log_path, errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def credentials(self):
        values = {}
        with open(os.path.join(self.home, "openrc")) as file:
            for line in file:
                line = line.strip()
                if line.startswith("export ") and "=" in line:
                    name, value = line[len("export "):].split("=", 1)
                    values[name] = value.strip("'\"")
        return values

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise DemoError("the control plane did not stop within a minute")
        if self.process.returncode != 0:
            raise DemoError(f"the control plane ended with code {self.process.returncode}:\n" + self.log_tail())

    def purge(self):
        """Removes everything of the home, whatever state it is in."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        subprocess.run([self.binary, "purge", "--yes", "--home", self.home], timeout=120)

    def audit(self):
        result = subprocess.run(
            [self.binary, "audit", "--home", self.home], capture_output=True, text=True, timeout=60
        )
        if result.returncode != 0:
            raise DemoError("the audit found what should not be there:\n" + result.stdout + result.stderr)


class Client:
    """A REST client: a token, then JSON."""

    def __init__(self, plane):
        rc = plane.credentials()
        body = {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {
                        "user": {
                            "name": rc["OS_USERNAME"],
                            "domain": {"name": rc["OS_USER_DOMAIN_NAME"]},
                            "password": rc["OS_PASSWORD"],
                        }
                    },
                },
                "scope": {
                    "project": {
                        "name": rc["OS_PROJECT_NAME"],
                        "domain": {"name": rc["OS_PROJECT_DOMAIN_NAME"]},
                    }
                },
            }
        }
        self.token = None
        headers, answer = self.send("POST", rc["OS_AUTH_URL"] + "/auth/tokens", body)
        self.token = headers["X-Subject-Token"]
        services = [entry for entry in answer["token"]["catalog"] if entry["type"] == "database"]
        self.base = next(item["url"] for item in services[0]["endpoints"] if item["interface"] == "public")

    def send(self, method, url, body=None):
        request = urllib.request.Request(url, method=method, data=json.dumps(body).encode() if body else None)
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json")
        if self.token:
            request.add_header("X-Auth-Token", self.token)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                text = response.read()
                return response.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return error.headers, None
            raise DemoError(f"{method} {url} answered {error.code}: {error.read().decode(errors='replace')}")

    def call(self, method, path, body=None):
        return self.send(method, self.base + path, body)[1]

    def wait(self, path, key, good, bad, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.call("GET", path)
            status = answer[key]["status"] if answer else "GONE"
            if status == good:
                return answer[key] if answer else None
            if status in bad:
                raise DemoError(f"{path} went to {status}: {json.dumps(answer[key].get('fault'))}")
            time.sleep(0.02)
        raise DemoError(f"{path} was not {good} within {seconds} s")


def sql(address, user, password, database, statement):
    """Runs a statement through the engine's own client, as a tenant would."""
    result = subprocess.run(
        ["mariadb", "--no-defaults", "--protocol=tcp", "-h", address, "-u", user, "-N", "-B", database, "-e", statement],
        env=dict(os.environ, MYSQL_PWD=password), capture_output=True, text=True, timeout=60,
    )
    if result.returncode != 0:
        raise DemoError("the engine refused: " + result.stderr.strip())
    return result.stdout.strip()


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
        raise DemoError(f"the restored rows are {names!r}")
    story.tell(f"restored into a second instance after {time.monotonic() - began:.2f} s; the pear is back: {names}")

    for identifier in (first, second):
        client.call("DELETE", f"/instances/{identifier}")
    client.call("DELETE", f"/backups/{backup}")
    for path in (f"/instances/{first}", f"/instances/{second}", f"/backups/{backup}"):
        deadline = time.monotonic() + 120
        while client.call("GET", path) is not None:
            if time.monotonic() > deadline:
                raise DemoError(f"{path} is still there after two minutes")
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
    arguments = parser.parse_args()
    story = Story()
    plane = None
    try:
        story.tell("starting the control plane on a scratch home")
        plane = ControlPlane(arguments.config)
        tell_story(plane, story)
        plane.stop()
        plane.purge()
        left = leftovers(plane.home)
        if left or os.path.exists(plane.home):
            raise DemoError("left behind: " + ", ".join(left or [plane.home]))
        os.remove(plane.log_path)
        story.tell("stopped; nothing is left behind")
        return 0
    except (DemoError, OSError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        if plane:
            plane.purge()
            print(f"demo: everything is removed; the control plane's log is kept in {plane.log_path}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
