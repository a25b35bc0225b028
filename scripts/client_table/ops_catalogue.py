# SPDX-License-Identifier: Apache-2.0
"""Calls about datastores, flavors, limits, quotas, and what the administrator sees of hosts."""
import known
from scene import mentions, refused
from table import NotApplicable, expect


def datastores(s, do):
    mentions(do(), "mariadb", "postgresql", "redis")


def datastore(s, do):
    mentions(do(datastore="mariadb"), "mariadb", "10.11")


def versions(s, do):
    mentions(do(datastore="mariadb"), "10.11", s.world.version_id())


def version(s, do):
    mentions(do(datastore="mariadb", version="10.11", version_id=s.world.version_id()), "10.11", s.world.version_id())


def spare_version(s, datastore):
    """A version, with its datastore, that nothing uses; its id."""
    body = {"name": "1.0", "datastore_name": datastore, "datastore_manager": "mariadb", "image_tags": ["spare"], "active": True,
            "default": False}
    s.world.admin.must("POST", "/mgmt/datastore-versions", {"version": body})
    return s.world.admin.get(f"/datastores/{datastore}/versions/1.0")["version"]["id"]


def version_create(s, do):
    do(name="1.0", datastore=s.name("store"), image="00000000-0000-4000-8000-000000000001")
    found = s.world.admin.get(f"/datastores/{s.name('store')}/versions/1.0")["version"]
    expect(found["active"] is True, "the version is there, and active")
    s.made["version"] = found["id"]


def spare(s):
    return s.thing("version", lambda: spare_version(s, s.name("store")))


def managed_versions(s, do):
    identifier = spare(s)
    mentions(do(), identifier, s.name("store"))


def managed_version(s, do):
    mentions(do(version=spare(s)), spare(s), s.name("store"))


def version_set(s, do):
    do(version=spare(s))
    found = s.world.admin.get(f"/mgmt/datastore-versions/{spare(s)}")["version"]
    expect(found["active"] is False, "the version is not active any more")


def version_delete(s, do):
    do(version=spare(s))
    expect(s.world.admin.ask("GET", f"/mgmt/datastore-versions/{spare(s)}")[0] in (400, 404), "the version is gone")
    s.forget("version")


def datastore_delete(s, do):
    """One with versions is refused; one without is gone."""
    name = s.name("empty")
    version_id = spare_version(s, name)
    refused(lambda: do(datastore=name), "deleting a datastore that has versions")
    s.world.admin.must("DELETE", f"/mgmt/datastore-versions/{version_id}")
    do(datastore=name)
    expect(s.world.admin.ask("GET", f"/datastores/{name}")[0] == 404, "the datastore is gone")


def flavors(s, do):
    names = [flavor["name"] for flavor in s.world.member.get("/flavors")["flavors"]]
    mentions(do(), *names)


def version_flavors(s, do):
    names = [flavor["name"] for flavor in s.world.member.get("/flavors")["flavors"]]
    mentions(do(datastore="mariadb", version_id=s.world.version_id()), *names)


def flavor(s, do):
    found = s.world.member.get("/flavors/2")["flavor"]
    mentions(do(flavor="2"), found["name"], found["ram"])


def limits(s, do):
    output = do()
    mentions(output, *{limit["verb"] for limit in s.world.member.get("/limits")["limits"] if limit["verb"] != "ABSOLUTE"})


def quotas(s, do):
    output = do(project=s.world.project)
    mentions(output, "instances", "backups", "volumes", "100")


def quota_update(s, do):
    for limit in (61, 200):
        do(project=s.world.project, resource="backups", limit=limit)
        found = {item["resource"]: item["limit"] for item in s.world.member.get(f"/mgmt/quotas/{s.world.project}")["quotas"]}
        expect(found["backups"] == limit, f"the quota is {limit}: {found}")


def accounts(s, do):
    mentions(do(), s.world.project)


def account(s, do):
    mentions(do(project=s.world.project), s.world.project, s.main)


def hosts(s, do):
    mentions(do(), s.world.admin.get("/mgmt/hosts")["hosts"][0]["name"])


def host(s, do):
    mentions(do(host=s.world.admin.get("/mgmt/hosts")["hosts"][0]["name"]), s.main)


def hosts_update(s, do):
    def upgrades():
        events = s.world.member.get(f"/instances/{s.main}/events?since={last}")["events"]
        return [event for event in events if event["operation"] == "upgrade_guest" and event["event"] == "operation_done"]

    last = s.world.member.get(f"/instances/{s.main}/events?since=0")["position"]
    do(host=s.world.admin.get("/mgmt/hosts")["hosts"][0]["name"])
    s.world.until("the instance's agent is replaced", upgrades)


def storage(s, do):
    output = do()
    for device in s.world.admin.get("/mgmt/storage")["devices"]:
        mentions(output, device["name"])


def diagnostics(s, do):
    mentions(do(id=s.main), "vmRss", "threads")


def hwinfo(s, do):
    mentions(do(id=s.main), "mem_total", "num_cpus")


def no_route(s, do):
    """A call whose route no server ever had."""
    refused(do, "a route that no release of the server has", 404, "No volumetype")
    raise NotApplicable(known.NO_ROUTE)


def metadata(s, do):
    refused(lambda: do(id=s.main), "metadata of an instance", 404)
    raise NotApplicable(known.NO_ROUTE)


def volume_types(s, do):
    """The routes exist below a version alone."""
    do(datastore="mariadb", version_id=s.world.version_id())
