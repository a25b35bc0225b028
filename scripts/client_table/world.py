# SPDX-License-Identifier: Apache-2.0
"""The control plane that all clients share, and the looks behind their back: bare REST calls and the engine's own client."""
import http.client
import json
import os
import re
import ssl
import time
import urllib.parse
import urllib.request

import certificates
from plane import PlaneError, sql
from table import NotSo, Unprepared, expect

# Two versions of one series, between which the plugin plans upgrades.
DATASTORE, VERSION, NEXT_VERSION = "mariadb", "10.11", "10.11.1"


def issue_token(rc):
    """A token for who an openrc names: (token, project id, the database service's public address)."""
    user = {"name": rc["OS_USERNAME"], "domain": {"name": rc["OS_USER_DOMAIN_NAME"]}, "password": rc["OS_PASSWORD"]}
    project = {"name": rc["OS_PROJECT_NAME"], "domain": {"name": rc["OS_PROJECT_DOMAIN_NAME"]}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}}
    request = urllib.request.Request(
        rc["OS_AUTH_URL"] + "/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    context = ssl.create_default_context(cafile=rc["OS_CACERT"]) if rc.get("OS_CACERT") else None
    with urllib.request.urlopen(request, timeout=60, context=context) as response:
        token = json.load(response)["token"]
        entry = next(entry for entry in token["catalog"] if entry["type"] == "database")
        region = rc.get("OS_REGION_NAME")
        address = next(item["url"] for item in entry["endpoints"]
                       if item["interface"] == "public" and (not region or item["region_id"] == region))
        return response.headers["X-Subject-Token"], token["project"]["id"], address


class Eye:
    """Bare calls of one user."""

    def __init__(self, rc):
        self.rc = rc
        self.token, self.project, address = issue_token(rc)
        self.address = urllib.parse.urlsplit(address)
        self.context = ssl.create_default_context(cafile=rc["OS_CACERT"]) if rc.get("OS_CACERT") else None

    def ask(self, method, path, body=None, patience=60):
        """(status, document). What is answered with 503, on a machine that has much else to do, is asked again for `patience` seconds."""
        deadline = time.monotonic() + patience
        while True:
            answer = self.ask_once(method, path, body)
            if answer[0] != 503 or time.monotonic() > deadline:
                return answer
            time.sleep(1)

    def ask_once(self, method, path, body):
        if self.address.scheme == "https":
            connection = http.client.HTTPSConnection(self.address.hostname, self.address.port, timeout=120, context=self.context)
        else:
            connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=120)
        try:
            headers = {"X-Auth-Token": self.token, "Accept": "application/json", "Content-Type": "application/json"}
            connection.request(method, self.address.path + path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text) if text else None
        except ValueError:
            return response.status, text.decode(errors="replace")

    def must(self, method, path, body=None):
        status, document = self.ask(method, path, body)
        if status >= 300:
            raise Unprepared(status, f"{method} {path}, which prepares or checks this case, was answered {status}: {json.dumps(document)}")
        return document

    def get(self, path):
        return self.must("GET", path)


class World:
    """`member` and `admin` look; instances that several clients need are made once."""

    def __init__(self, member, administrator, home):
        self.member_rc, self.admin_rc, self.home = member, administrator, home
        self.member, self.admin = Eye(member), Eye(administrator)
        self.project = self.member.project
        quotas = {"instances": 100, "volumes": 500, "backups": 200}
        for project in {self.project, self.admin.project}:
            self.admin.must("PUT", f"/mgmt/quotas/{project}", {"quotas": quotas})
        self.roots, self.made = {}, {}

    def certificate_container(self):
        """The reference of a container in the key manager, made once."""
        if "container" not in self.made:
            request = urllib.request.Request(
                self.member_rc["OS_AUTH_URL"] + "/auth/catalog", headers={"X-Auth-Token": self.member.token})
            with urllib.request.urlopen(request, timeout=60, context=self.member.context) as response:
                base = certificates.endpoint(json.load(response)["catalog"])
            self.made["container"] = certificates.container(base, self.member.token, self.member.context)
        return self.made["container"]

    # Waiting.

    def until(self, what, check, seconds=60):
        """Asks until `check` returns something true, and returns it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found, last = check(), None
            except (PlaneError, NotSo) as error:
                found, last = None, error
            if found:
                return found
            if time.monotonic() > deadline:
                raise NotSo(f"within {seconds} s not so: {what}" + (f" ({last})" if last else ""))
            time.sleep(0.05)

    def active(self, identifier, seconds=120):
        def check():
            found = self.show(identifier)
            if found["status"] in ("ERROR", "FAILED"):
                raise Broken(f"instance {found['name']} went to {found['status']}: {json.dumps(found.get('fault'))}")
            return found if found["status"] == "ACTIVE" else None
        return self.until("the instance is ACTIVE", check, seconds)

    def gone(self, path, seconds=60):
        self.until(f"{path} is gone", lambda: self.member.ask("GET", path)[0] == 404, seconds)

    # Instances.

    def show(self, identifier):
        return self.member.get(f"/instances/{identifier}")["instance"]

    def named(self, collection, name):
        """The id of the one item of that name."""
        found = [item["id"] for item in self.every(collection) if item["name"] == name]
        expect(len(found) == 1, f"there is one of {collection} named {name}")
        return found[0]

    def every(self, collection):
        path = f"/{collection}"
        while path:
            page = self.member.get(path)
            yield from page[collection]
            following = [link["href"] for link in page.get("links", []) if link["rel"] == "next"]
            path = f"/{collection}?" + following[0].partition("?")[2] if following else None

    def make(self, name, **members):
        """A new instance that is ACTIVE; its id."""
        body = {"name": name, "flavorRef": "1", "volume": {"size": 1}, "datastore": {"type": DATASTORE, "version": VERSION}}
        if "replica_of" in members:
            body = {"name": name}
        identifier = self.member.must("POST", "/instances", {"instance": dict(body, **members)})["instance"]["id"]
        self.active(identifier)
        return identifier

    def shared(self, name, make):
        """What `make` makes, made once; a failure is remembered too."""
        if name not in self.made:
            try:
                self.made[name] = make()
            except Exception as error:  # noqa: BLE001
                self.made[name] = error
        if isinstance(self.made[name], Exception):
            raise self.made[name]
        return self.made[name]

    def address(self, identifier):
        return re.search(r"\d+\.\d+\.\d+\.\d+", json.dumps(self.show(identifier)["addresses"])).group()

    def login(self, identifier, user, password, statement="SELECT 1", database=""):
        return sql(self.address(identifier), user, password, database, statement)

    def logs_in(self, identifier, user, password, database=""):
        try:
            return self.login(identifier, user, password, database=database) == "1"
        except PlaneError:
            return False

    def root(self, identifier, statement, database=""):
        """A statement as root, who is enabled for it when he is not yet."""
        if identifier not in self.roots:
            self.roots[identifier] = self.member.must("POST", f"/instances/{identifier}/root")["user"]["password"]
        return self.login(identifier, "root", self.roots[identifier], statement, database)

    # Things that cases need.

    def version_id(self, datastore=DATASTORE, version=VERSION):
        return self.member.get(f"/datastores/{datastore}/versions/{version}")["version"]["id"]

    def next_version(self):
        """Another version of the datastore, with the same plugin and engine; its id."""
        def make():
            status, _ = self.admin.ask("GET", f"/datastores/{DATASTORE}/versions/{NEXT_VERSION}")
            if status != 200:
                self.admin.must("POST", "/mgmt/datastore-versions", {"version": {
                    "name": NEXT_VERSION, "datastore_name": DATASTORE, "datastore_manager": DATASTORE, "image_tags": ["next"],
                    "active": True, "default": False, "version": VERSION}})
            return self.version_id(version=NEXT_VERSION)
        return self.shared("version", make)

    def image(self, identifier):
        """The image of the instance's datastore version, or the version's id where it has none."""
        store = self.show(identifier)["datastore"]
        version = self.version_id(store["type"], store["version"])
        return self.admin.get(f"/mgmt/datastore-versions/{version}")["version"].get("image") or version

    def configuration(self, name, values):
        body = {"name": name, "values": values, "datastore": {"type": DATASTORE, "version": VERSION}}
        return self.member.must("POST", "/configurations", {"configuration": body})["configuration"]["id"]

    def backup(self, name, instance):
        made = self.member.must("POST", "/backups", {"backup": {"name": name, "instance": instance}})["backup"]["id"]
        return self.completed(made)

    def completed(self, backup):
        def check():
            found = self.member.get(f"/backups/{backup}")["backup"]
            if found["status"] == "FAILED":
                raise Broken(f"backup {found['name']} FAILED")
            return found["status"] == "COMPLETED"
        self.until("the backup is COMPLETED", check)
        return backup


class Broken(Exception):
    """What will not become good by waiting."""
