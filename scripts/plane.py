#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A control plane on a scratch home, and a REST client of it: what the demonstration and the benchmarks share."""
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class PlaneError(Exception):
    """Why something could not be done, in a sentence."""


class ControlPlane:
    """`trove serve` on a scratch home."""

    def __init__(self, config, scratch="demo", environment=None, binary=None):
        scratch = os.path.join(ROOT, ".build", scratch)
        os.makedirs(scratch, mode=0o711, exist_ok=True)
        self.home = tempfile.mkdtemp(prefix="home-", dir=scratch)
        self.binary = binary or os.path.join(ROOT, ".build", config, "trove")
        self.log_path = self.home + ".log"
        self.log = open(self.log_path, "wb")
        self.environment = dict(os.environ, **(environment or {}))
        self.url = None
        self.process = None
        self.start()

    def start(self):
        """Starts `trove serve` and waits for its ready line; a later start listens where the first one did."""
        address = self.url.split("//")[1] if self.url else "127.0.0.1:0"
        environment = dict(self.environment, TROVE_HOME=self.home, TROVE_LISTEN=address)
        self.process = subprocess.Popen(
            [self.binary, "serve"], env=environment, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True
        )
        line = self.process.stdout.readline().decode()
        if "ready" not in line:
            raise PlaneError("the control plane did not become ready:\n" + self.log_tail())
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

    def administrator(self):
        """The same of the administrator, whom `clouds.yaml` has beside the user."""
        values = {}
        with open(os.path.join(self.home, "clouds.yaml")) as file:
            entry = file.read().split("trove-admin:", 1)[1]
        for line in entry.splitlines():
            name, _, value = line.strip().partition(":")
            values["OS_" + name.upper()] = value.strip().strip("'\"")
        return values

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise PlaneError("the control plane did not stop within a minute")
        if self.process.returncode != 0:
            raise PlaneError(f"the control plane ended with code {self.process.returncode}:\n" + self.log_tail())

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
            raise PlaneError("the audit found what should not be there:\n" + result.stdout + result.stderr)


class Client:
    """A REST client: a token, then JSON."""

    def __init__(self, plane, rc=None):
        """Logs in with what `rc` has of the environment's names, without it as the user."""
        rc = rc or plane.credentials()
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
            raise PlaneError(f"{method} {url} answered {error.code}: {error.read().decode(errors='replace')}")

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
                raise PlaneError(f"{path} went to {status}: {json.dumps(answer[key].get('fault'))}")
            time.sleep(0.02)
        raise PlaneError(f"{path} was not {good} within {seconds} s")


def sql(address, user, password, database, statement):
    """Runs a statement through the engine's own client, as a tenant would."""
    result = subprocess.run(
        ["mariadb", "--no-defaults", "--protocol=tcp", "-h", address, "-u", user, "-N", "-B", database, "-e", statement],
        env=dict(os.environ, MYSQL_PWD=password), capture_output=True, text=True, timeout=60,
    )
    if result.returncode != 0:
        raise PlaneError("the engine refused: " + result.stderr.strip())
    return result.stdout.strip()
