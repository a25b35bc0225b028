# SPDX-License-Identifier: Apache-2.0
"""What the rows name: made when a row needs it first, kept until a row takes it away, and removed at the end.

What takes a client only requests is made by requests. States that would need an accident or another datastore (a backup that
failed, an instance amid a task, a member of a cluster) are rows of the database beside a real one.
"""
import base64
import json
import time
import uuid

import certificates
from callers import MISSING
from store import copy, forget_instance, ghost_instance, literal

BUILDING, DELETING, RESIZING = 5, 2, 4
NO_TASK = 1


class Things(dict):
    """Placeholders by name. A name that cannot be had raises LookupError with the reason."""

    def __init__(self, callers, store, features, key_manager=None):
        super().__init__()
        self.member, self.admin, self.other = (callers[name] for name in ("member", "admin", "other"))
        self.store, self.features, self.key_manager = store, features, key_manager
        self.ghosts, self.removals = [], []
        self.update({
            "missing": MISSING, "project": self.member.project, "other_project": self.other.project,
            "flavor": "1", "other_flavor": "2", "datastore": "mariadb", "version": "10.11",
            "parameter": "max_connections", "parameter_value": 100, "integer_parameter": "max_connections",
            "reserved_database": "mysql", "reserved_user": "os_admin", "root": "", "unversioned": "",
        })

    def __missing__(self, name):
        make = getattr(self, "make_" + name, None)
        if make is None:
            raise LookupError(f"there is no way to have '{name}'")
        self[name] = make()
        return self[name]

    def need(self, word):
        """Brings about what a row needs. Raises LookupError when that cannot be."""
        if word in self.features or word in ("leaves_busy", "stops_instance", "creates_instance"):
            return
        bring = getattr(self, "need_" + word, None)
        if bring:
            bring()
        elif word in self or hasattr(self, "make_" + word):
            _ = self[word]
        else:
            raise LookupError(f"'{word}' cannot be had here")

    # Lookups

    def version_of(self, datastore):
        return next(iter(self.admin.call("GET", f"/datastores/{datastore}/versions")["versions"]))

    def make_datastore_id(self):
        return self.member.call("GET", "/datastores/mariadb")["datastore"]["id"]

    def make_version_id(self):
        versions = self.member.call("GET", "/datastores/mariadb/versions")["versions"]
        return next(entry["id"] for entry in versions if entry["name"] == self["version"])

    def make_version_number(self):
        versions = self.member.call("GET", "/datastores/mariadb/versions")["versions"]
        return next(entry["version"] for entry in versions if entry["name"] == self["version"])

    def make_host(self):
        return self.admin.call("GET", "/mgmt/hosts")["hosts"][0]["name"]

    def make_log(self):
        return next(
            log["name"] for log in self.member.call("GET", f"/instances/{self['instance']}/log")["logs"]
            if log["type"] == "USER")

    def make_security_group(self):
        return self.member.call("GET", f"/security-groups/{self['instance']}")["security_group"]["id"]

    def make_security_group_rule(self):
        body = {"security_group_rule": {"group_id": self["security_group"], "cidr": "10.1.0.0/16"}}
        return self.member.call("POST", "/security-group-rules", body)["security_group_rule"][0]["id"]

    # Instances

    def create(self, caller, **members):
        body = {"name": "contract", "flavorRef": self["flavor"], "volume": {"size": 1}, **members}
        made = caller.call("POST", "/instances", {"instance": body})["instance"]["id"]
        self.removals.append((caller, f"/instances/{made}"))
        caller.wait(f"/instances/{made}", "instance", "ACTIVE")
        return made

    def make_instance(self):
        return self.create(self.member, datastore={"type": self["datastore"], "version": self["version"]})

    def make_spare_instance(self):
        return self.create(self.member, datastore={"type": self["datastore"], "version": self["version"]})

    def make_tls_instance(self):
        return self.make_spare_instance()

    def make_container(self):
        if self.key_manager is None:
            raise LookupError("the catalogue names no key manager")
        return certificates.container(self.key_manager, self.member.token)

    def make_plain_instance(self):
        return self.create(
            self.member, datastore={"type": "memcached", "version": self.version_of("memcached")["name"]})

    def ghost(self, **changes):
        made = ghost_instance(self.store, self["instance"], **changes)
        self.ghosts.append(made)
        return made

    def make_busy_instance(self):
        return self.ghost(task_id=RESIZING)

    def make_building_instance(self):
        return self.ghost(task_id=BUILDING)

    def make_deleting_instance(self):
        return self.ghost(task_id=DELETING)

    def make_other_instance(self):
        return self.ghost(tenant_id=self.other.project)

    def make_configured_instance(self):
        return self.ghost(configuration_id=self["attached_configuration"])

    def make_source(self):
        return self.ghost()

    def make_replica(self):
        return self.ghost(slave_of_id=self["source"])

    def need_two_instances(self):
        _ = self["instance"], self["busy_instance"]

    def need_root_never(self):
        if self.member.call("GET", f"/instances/{self['instance']}/root")["rootEnabled"]:
            raise LookupError("root was enabled before")

    def need_root_enabled(self):
        self.member.call("POST", f"/instances/{self['instance']}/root")

    # Databases and users

    def eventually(self, what, check, seconds=30):
        deadline = time.monotonic() + seconds
        while not check():
            if time.monotonic() > deadline:
                raise LookupError(f"not within {seconds} s: {what}")
            time.sleep(0.05)

    def database_named(self, name):
        path = f"/instances/{self['instance']}/databases"
        self.member.call("POST", path, {"databases": [{"name": name}]})
        self.eventually("the database is there", lambda: any(
            item["name"] == name for item in self.member.call("GET", path)["databases"]))
        return name

    def make_database(self):
        return self.database_named("d" + uuid.uuid4().hex[:8])

    def make_new_database(self):
        return "n" + uuid.uuid4().hex[:8]

    def make_new_user(self):
        return "n" + uuid.uuid4().hex[:8]

    def need_two_databases(self):
        _ = self["database"]
        self.database_named("z" + uuid.uuid4().hex[:8])

    def make_user(self):
        name, path = "u" + uuid.uuid4().hex[:8], f"/instances/{self['instance']}/users"
        self.member.call("POST", path, {"users": [{"name": name, "password": "secret-1"}]})
        self.eventually("the user is there", lambda: any(
            item["name"] == name for item in self.member.call("GET", path)["users"]))
        return name

    def need_granted(self):
        self.member.call(
            "PUT", f"/instances/{self['instance']}/users/{self['user']}/databases",
            {"databases": [{"name": self["database"]}]})

    # Backups

    def make_backup(self):
        body = {"backup": {"name": "contract", "instance": self["instance"]}}
        made = self.member.call("POST", "/backups", body)["backup"]["id"]
        self.removals.append((self.member, f"/backups/{made}"))
        self.member.wait(f"/backups/{made}", "backup", "COMPLETED")
        self.member.wait(f"/instances/{self['instance']}", "instance", "ACTIVE")
        return made

    def make_backup_location(self):
        return self.member.call("GET", f"/backups/{self['backup']}")["backup"]["locationRef"]

    def ghost_backup(self, **changes):
        ghost = str(uuid.uuid4())
        if "updated" in self.store.columns("backups") and "size_bytes" in self.store.columns("backups"):
            # Not the last of its instance, to which an increment would add.
            changes = {"updated": 1, **changes}
        copy(self.store, "backups", "id", self["backup"], {"id": ghost, "name": "ghost", **changes})
        return ghost

    def make_other_backup(self):
        return self.ghost_backup(tenant_id=self.other.project)

    def make_failed_backup(self):
        return self.ghost_backup(state="FAILED")

    def make_running_backup(self):
        return self.ghost_backup(state="BUILDING", instance_id=self["busy_instance"])

    def make_large_backup(self):
        size = "size_bytes" if "size_bytes" in self.store.columns("backups") else "size"
        return self.ghost_backup(**{size: 1 << 40})

    def make_other_datastore_backup(self):
        return self.ghost_backup(datastore_version_id=self.version_of("redis")["id"])

    # Configurations, versions and modules

    def group(self, caller, version):
        body = {"configuration": {"name": "contract", "values": {self["parameter"]: self["parameter_value"]}, "datastore": {
            "type": self["datastore"], "version": version}}}
        made = caller.call("POST", "/configurations", body)["configuration"]["id"]
        self.removals.append((caller, f"/configurations/{made}"))
        return made

    def make_configuration(self):
        return self.group(self.member, self["version"])

    def make_attached_configuration(self):
        return self.group(self.member, self["version"])

    def make_other_configuration(self):
        return self.group(self.other, self["version"])

    def make_other_version_configuration(self):
        return self.group(self.member, self["inactive_version"])

    def managed_version(self, name, active):
        body = {"version": {
            "name": name, "datastore_name": self["datastore"], "datastore_manager": self["datastore"],
            "active": active, "image_tags": ["none"]}}
        self.admin.call("POST", "/mgmt/datastore-versions", body)
        versions = self.admin.call("GET", "/mgmt/datastore-versions")["versions"]
        made = next(entry["id"] for entry in versions if entry["name"] == name)
        self.removals.insert(0, (self.admin, f"/mgmt/datastore-versions/{made}"))
        return made

    def make_inactive_version(self):
        return self.managed_version("contract-inactive", False)

    def make_used_version(self):
        made = self.managed_version("contract-used", True)
        self.ghost(datastore_version_id=made)
        return made

    def need_contract_parameter(self):
        path = f"/mgmt/datastores/versions/{self['version_id']}/parameters"
        names = [item["name"] for item in self.admin.call("GET", path)["configuration-parameters"]]
        if "contract_parameter" not in names:
            self.admin.call("POST", path, {"configuration-parameter": {
                "name": "contract_parameter", "restart_required": 0, "data_type": "integer", "max_size": 10, "min_size": 1}})

    def module_of(self, caller, name):
        contents = base64.b64encode(b"message=hello").decode()
        made = caller.call("POST", "/modules", {"module": {"name": name, "module_type": "ping", "contents": contents}})
        self.removals.append((caller, f"/modules/{made['module']['id']}"))
        return made["module"]["id"]

    def make_module(self):
        self["module_name"] = "m" + uuid.uuid4().hex[:8]
        return self.module_of(self.member, self["module_name"])

    def make_module_name(self):
        _ = self["module"]
        return self["module_name"]

    def make_other_module(self):
        return self.module_of(self.other, "other")

    def need_applied_module(self):
        self.member.call("POST", f"/instances/{self['instance']}/modules", {"modules": [{"id": self["module"]}]})

    # Clusters

    def ghost_cluster(self, project, task):
        ghost = str(uuid.uuid4())
        self.store.run(
            "INSERT INTO clusters (id, name, task_id, tenant_id, datastore_version_id, created, updated, deleted) "
            f"SELECT {literal(ghost)}, 'ghost', {task}, {literal(project)}, datastore_version_id, created, updated, 0 "
            f"FROM instances WHERE id = {literal(self['instance'])}")
        return ghost

    def make_cluster(self):
        self.pop("member_instance", None)
        return self.ghost_cluster(self.member.project, NO_TASK)

    def make_busy_cluster(self):
        return self.ghost_cluster(self.member.project, 2)

    def make_other_cluster(self):
        return self.ghost_cluster(self.other.project, NO_TASK)

    def make_member_instance(self):
        return self.ghost(cluster_id=self["cluster"], type="member")

    # Quotas

    def quota(self, **limits):
        self.admin.call("PUT", f"/mgmt/quotas/{self.member.project}", {"quotas": limits})

    def need_instance_quota_exhausted(self):
        self.quota(instances=0)

    def need_backup_quota_exhausted(self):
        self.quota(backups=0)

    def need_rate_exhausted(self):
        for _ in range(50_000):
            if self.member.send("GET", f"/v1.0/{self.member.project}/limits")[0] == 413:
                return
        raise LookupError("no rate limit was reached")

    def after(self, row, status):
        """Waits for what a row leaves behind, and forgets what it took away."""
        if any(word.endswith("_quota_exhausted") for word in row.needs):
            self.quota(instances=200, volumes=200, backups=200)
        if status < 300 and row.method == "DELETE" and row.subject:
            self.pop(row.subject, None)
        for word in ("new_database", "new_user"):
            self.pop(word, None)
        if status >= 300 or "instance" not in self:
            return
        path = f"/instances/{self['instance']}"
        if "stops_instance" in row.needs:
            self.eventually("the stopped engine is reported", lambda: self.admin.call(
                "GET", "/mgmt" + path)["instance"]["service_status"] == "SHUTDOWN")
        elif "leaves_busy" in row.needs or "{instance}" in row.path and row.method != "GET":
            self.settle(path)

    def settle(self, path):
        """Until the instance is ACTIVE again; a restart when a configuration waits for one."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            _, _, answer = self.member.send("GET", f"/v1.0/{self.member.project}{path}")
            instance = json.loads(answer).get("instance", {})
            status = instance.get("status")
            if status == "ACTIVE" and instance["operating_status"] in ("HEALTHY", "ACTIVE"):
                return
            if status == "ACTIVE":
                # Asks the agent to report.
                self.admin.send("GET", f"/v1.0/{self.admin.project}/mgmt{path}/rpc_ping")
            if status == "RESTART_REQUIRED":
                self.member.call("POST", path + "/action", {"restart": {}})
            if status == "ERROR":
                break
            time.sleep(0.05)
        document = self.admin.call("GET", path)
        raise LookupError(f"{path} did not become ACTIVE: {json.dumps(document)[:500]}")

    def remove(self):
        """Takes away what is left; what the rows removed themselves is gone already."""
        for ghost in self.ghosts:
            forget_instance(self.store, ghost)
        self.store.run("DELETE FROM backups WHERE name = 'ghost'")
        for caller, path in reversed(self.removals):
            if path.startswith("/configurations/"):
                continue
            caller.send("DELETE", f"/v1.0/{caller.project}{path}")
        for caller, path in self.removals:
            if path.startswith("/instances/"):
                self.eventually(f"{path} is gone", lambda: caller.status(path, "instance") is None, 120)
        for caller, path in self.removals:
            if path.startswith("/configurations/"):
                caller.send("DELETE", f"/v1.0/{caller.project}{path}")
