# SPDX-License-Identifier: Apache-2.0
"""A place of its own on shared nodes for one control plane: database, virtual host, region of the service catalogue."""
import base64
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from node_files import NodeError
from node_keystone import Administration


def read_password(account):
    with open(account["password_file"]) as file:
        return file.read().strip()


class Space:
    """One control plane's part of the nodes that a document describes."""

    def __init__(self, document, name):
        if not name.replace("-", "").isalnum() or len(name) > 40:
            raise NodeError("a space's name is made of letters, digits and '-', at most 40 of them")
        self.document, self.name = document, name
        self.database = "trove_" + name.replace("-", "_")
        self.vhost = "trove-" + name
        self.region = "Region-" + name
        self.tls = document["tls"]

    def make(self):
        self.sql(f"CREATE DATABASE `{self.database}` CHARACTER SET utf8mb3")
        self.broker("PUT", "/vhosts/" + self.vhost)
        for account in ("admin", "trove"):
            user = self.document["rabbitmq"][account]["user"]
            self.broker("PUT", f"/permissions/{self.vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})

    def announce(self, url):
        """Puts the API's address into the catalogue, for this region alone."""
        keystone = self.keystone()
        self.forget(keystone)
        keystone.ensure_region(self.region)
        barbican = self.document.get("barbican")
        addresses = {"trove": ("database", url + "/v1.0/%(project_id)s"),
                     "published": ("object-store", url + "/object-store/v1/AUTH_%(project_id)s"),
                     "barbican": ("key-manager", barbican["url"] if barbican else url + "/key-manager")}
        for name, (kind, address) in addresses.items():
            service = keystone.ensure("services", name, type=kind)
            for interface in ("public", "internal", "admin"):
                keystone.send("POST", "/endpoints", {"endpoint": {
                    "service_id": service, "interface": interface, "region_id": self.region, "url": address}})

    def drop(self):
        self.sql(f"DROP DATABASE IF EXISTS `{self.database}`")
        # Accounts of guests that were not deleted would be without a virtual host.
        nodes = [self.document["rabbitmq"][account]["user"] for account in ("admin", "trove")]
        for rights in self.broker("GET", "/permissions"):
            if rights["vhost"] == self.vhost and rights["user"] not in nodes:
                self.broker("DELETE", "/users/" + urllib.parse.quote(rights["user"], safe=""))
        self.broker("DELETE", "/vhosts/" + self.vhost)
        keystone = self.keystone()
        self.forget(keystone)
        if keystone.has_region(self.region):
            keystone.send("DELETE", "/regions/" + self.region)

    def forget(self, keystone):
        for endpoint in keystone.send("GET", "/endpoints?region_id=" + self.region)[1]["endpoints"]:
            keystone.send("DELETE", "/endpoints/" + endpoint["id"])

    def settings(self):
        """What `trove.yaml` says about this space, by dotted key; passwords are in the files that it names."""
        document = self.document
        mariadb, rabbitmq, keystone = document["mariadb"], document["rabbitmq"], document["keystone"]
        scheme, port = ("rabbits", rabbitmq["tls_port"]) if self.tls else ("rabbit", rabbitmq["port"])
        values = {
            "region": self.region,
            "state.url": f"mariadb://trove@{mariadb['host']}:{mariadb['port']}/{self.database}",
            "state.password_file": mariadb["trove"]["password_file"],
            "bus.url": f"{scheme}://trove@{rabbitmq['host']}:{port}/{self.vhost}",
            "bus.password_file": rabbitmq["trove"]["password_file"],
            "bus.management_url": rabbitmq["management_url"],
            "bus.management_user": rabbitmq["admin"]["user"],
            "bus.management_password_file": rabbitmq["admin"]["password_file"],
            "bus.rpc_key_file": document["rpc_key_file"],
            "identity.url": keystone["url"],
            "identity.password_file": keystone["trove"]["password_file"],
        }
        if "barbican" in document:
            values["key_manager.endpoint"] = document["barbican"]["url"]
            if self.tls:
                values["key_manager.ca_file"] = document["ca_file"]
        if self.tls:
            values.update({"state.tls": "verify", "state.ca_file": document["ca_file"], "bus.ca_file": document["ca_file"],
                           "identity.ca_file": document["ca_file"]})
        return values

    def openrc(self, user):
        keystone = self.document["keystone"]
        account = keystone[user]
        values = {
            "OS_AUTH_URL": keystone["url"], "OS_IDENTITY_API_VERSION": "3", "OS_USERNAME": account["user"],
            "OS_PASSWORD": read_password(account), "OS_PROJECT_NAME": account["project"], "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default", "OS_REGION_NAME": self.region,
        }
        return dict(values, OS_CACERT=self.document["ca_file"]) if self.tls else values

    def describe(self):
        """Settings for the environment (`TROVE_…`), for a file, and the variables of a member's and an administrator's openrc."""
        settings = self.settings()
        environment = {"TROVE_" + key.upper().replace(".", "_"): value for key, value in settings.items()}
        return {"name": self.name, "database": self.database, "vhost": self.vhost, "region": self.region, "settings": settings,
                "environment": environment, "openrc": self.openrc("demo"), "administrator": self.openrc("admin"),
                "other": self.openrc("other")}

    def sql(self, statement):
        mariadb = self.document["mariadb"]
        secure = ["--ssl-ca=" + self.document["ca_file"]] if self.tls else []
        result = subprocess.run(
            ["mariadb", "--no-defaults", "--protocol=tcp", "-h", mariadb["host"], "-P", str(mariadb["port"]), "-u",
             mariadb["admin"]["user"], *secure, "-N", "-B", "-e", statement],
            env=dict(os.environ, MYSQL_PWD=read_password(mariadb["admin"])), capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            raise NodeError("the database refused: " + result.stderr.strip())
        return result.stdout

    def broker(self, method, path, body=None):
        rabbitmq = self.document["rabbitmq"]
        secret = base64.b64encode(f"{rabbitmq['admin']['user']}:{read_password(rabbitmq['admin'])}".encode()).decode()
        request = urllib.request.Request(
            rabbitmq["management_url"] + "/api" + path, method=method, data=json.dumps(body or {}).encode(),
            headers={"Authorization": "Basic " + secret, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context()) as response:
                text = response.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code != 404 or method != "DELETE":
                raise NodeError(f"the broker answered {error.code} to {method} {path}: {error.read().decode(errors='replace')}")
            return None

    def context(self):
        return ssl.create_default_context(cafile=self.document["ca_file"]) if self.tls else None

    def keystone(self):
        keystone = self.document["keystone"]
        return Administration(keystone["url"], read_password(keystone["admin"]), self.context())
