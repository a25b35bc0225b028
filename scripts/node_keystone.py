# SPDX-License-Identifier: Apache-2.0
"""A Keystone with the projects, users and services that tests use, made once and kept."""
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

from node_files import HOST, NodeError, Ports, make_password, run, write_private

PROJECTS = ["admin", "service", "demo", "other"]
# user: its project and its roles there
USERS = {
    "admin": ("admin", ["admin"]),
    "demo": ("demo", ["member"]),
    "other": ("other", ["member"]),
    "observer": ("demo", ["reader"]),
    "trove": ("service", ["service", "admin"]),
}


def configure_keystone(folder, log, token_seconds=3600):
    """Writes `keystone.conf` for a folder whose `state` holds database and keys. Cheap password hashes: these are test accounts."""
    state = os.path.join(folder, "state")
    write_private(os.path.join(folder, "keystone.conf"), f"""
[DEFAULT]
log_file = {log}
[database]
connection = sqlite:///{state}/keystone.db
[token]
provider = fernet
expiration = {token_seconds}
[fernet_tokens]
key_repository = {state}/fernet
[credential]
key_repository = {state}/credential
[identity]
password_hash_rounds = 4
""".lstrip())


class Administration:
    """Keystone's API as its administrator."""

    def __init__(self, url, password, context=None):
        self.url, self.token, self.context = url, None, context
        user = {"name": "admin", "password": password, "domain": {"id": "default"}}
        headers, _ = self.send("POST", "/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}})
        self.token = headers["X-Subject-Token"]

    def send(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=json.dumps(body).encode() if body else None)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("X-Auth-Token", self.token)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as response:
                text = response.read()
                return response.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            raise NodeError(f"Keystone answered {error.code} to {method} {path}: {error.read().decode(errors='replace')}")

    def names(self, plural):
        return {item["name"]: item["id"] for item in self.send("GET", "/" + plural)[1][plural]}

    def has_region(self, name):
        return any(region["id"] == name for region in self.send("GET", "/regions")[1]["regions"])

    def ensure_region(self, name):
        if not self.has_region(name):
            self.send("POST", "/regions", {"region": {"id": name}})

    def ensure(self, plural, name, **more):
        known = self.names(plural)
        if name in known:
            return known[name]
        single = plural[:-1]
        return self.send("POST", "/" + plural, {single: dict(more, name=name)})[1][single]["id"]


def make_keystone(path, peers):
    """Fills `path`/state: schema, keys, administrator, and the projects, users and services above."""
    state, log = os.path.join(path, "state"), os.path.join(path, "keystone.log")
    os.makedirs(os.path.join(state, "fernet"), mode=0o700)
    os.makedirs(os.path.join(state, "credential"), mode=0o700)
    configure_keystone(path, log)
    passwords = {user: make_password(os.path.join(state, user + ".password")) for user in USERS}
    port = Ports().take()
    url = f"http://{HOST}:{port}/v3"
    manage = [peers + "/keystone-manage", "--config-dir", path]
    owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    quiet = dict(os.environ, PYTHONWARNINGS="ignore")
    run([*manage, "db_sync"], "keystone-manage db_sync", env=quiet)
    run([*manage, "fernet_setup", *owner], "keystone-manage fernet_setup", env=quiet)
    run([*manage, "credential_setup", *owner], "keystone-manage credential_setup", env=quiet)
    run([*manage, "bootstrap", "--bootstrap-region-id", "RegionOne", "--bootstrap-public-url", url, "--bootstrap-admin-url", url,
         "--bootstrap-internal-url", url], "keystone-manage bootstrap",
        env=dict(quiet, OS_BOOTSTRAP_PASSWORD=passwords["admin"]))
    with open(log, "ab") as file:
        server = subprocess.Popen(
            [peers + "/uwsgi", "--http-socket", f"{HOST}:{port}", "--module", "keystone.wsgi.api:application", "--need-app",
             "--die-on-term", "--buffer-size", "65535", "--env", "OS_KEYSTONE_CONFIG_DIR=" + path],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=quiet)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(url, timeout=10).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise NodeError("Keystone did not start; its log is " + log)
                time.sleep(0.1)
        fill(Administration(url, passwords["admin"]), passwords)
    finally:
        server.kill()
        server.wait()
    os.unlink(log)


def fill(keystone, passwords):
    projects = {name: keystone.ensure("projects", name, domain_id="default") for name in PROJECTS}
    roles = {name: keystone.ensure("roles", name) for name in ("admin", "member", "reader", "service")}
    for user, (project, wanted) in USERS.items():
        identifier = keystone.ensure("users", user, domain_id="default", password=passwords[user])
        for role in wanted:
            keystone.send("PUT", f"/projects/{projects[project]}/users/{identifier}/roles/{roles[role]}")
    service = keystone.ensure("services", "trove", type="database", description="Database service")
    for interface in ("public", "internal", "admin"):
        keystone.send("POST", "/endpoints", {"endpoint": {
            "service_id": service, "interface": interface, "region_id": "RegionOne",
            "url": f"http://{HOST}:8779/v1.0/%(project_id)s"}})
