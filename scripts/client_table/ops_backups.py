# SPDX-License-Identifier: Apache-2.0
"""Calls about backups, their strategies, and configuration groups."""
import known
from scene import mentions, omits, refused
from table import NotApplicable, expect


def backup_create(s, do):
    s.root("CREATE OR REPLACE TABLE shop.saved (n INT); INSERT INTO shop.saved VALUES (11)")
    do(id=s.main, name=s.name("backup"))
    s.made["backup"] = s.world.completed(s.world.named("backups", s.name("backup")))
    s.root("DELETE FROM shop.saved")


def backup_list(s, do):
    backup = s.backup
    mentions(do(), backup, s.name("backup"), "COMPLETED")


def backup_list_instance(s, do):
    backup = s.backup
    mentions(do(id=s.main), backup, s.name("backup"))


def backup_show(s, do):
    mentions(do(backup=s.backup), s.backup, s.name("backup"), "COMPLETED", s.main)


def backup_restore(s, do):
    """The row that was deleted after the backup is there again."""
    do(name=s.name("restored"), backup=s.backup)
    restored = s.world.named("instances", s.name("restored"))
    s.world.active(restored)
    count = s.world.login(restored, "clerk", "s3cret-Clerk", "SELECT n FROM saved", "shop")
    expect(count == "11", "the restored instance has what was saved")
    s.world.member.must("DELETE", f"/instances/{restored}")
    s.world.gone(f"/instances/{restored}")


def backup_incremental(s, do):
    parent = s.backup
    do(id=s.main, name=s.name("child"), parent=parent)
    child = s.world.completed(s.world.named("backups", s.name("child")))
    found = s.world.member.get(f"/backups/{child}")["backup"]["parent_id"]
    expect(found == parent, f"the backup has its parent: {found}")


def backup_delete(s, do):
    backup = s.backup
    do(backup=backup)
    s.world.gone(f"/backups/{backup}")
    s.forget("backup")


def strategies(s):
    return s.world.member.get("/backup_strategies")["backup_strategies"]


def strategy(s):
    body = {"instance_id": s.main, "swift_container": s.name("box")}
    s.world.member.must("POST", "/backup_strategies", {"backup_strategy": body})


def strategy_create(s, do):
    do(id=s.main, container=s.name("box"))
    expect([found for found in strategies(s) if found["instance_id"] == s.main and found["swift_container"] == s.name("box")],
           "the instance has the strategy")


def strategy_list(s, do):
    strategy(s)
    mentions(do(), s.main, s.name("box"))


def strategy_delete(s, do):
    strategy(s)
    do(id=s.main)
    expect(not [found for found in strategies(s) if found["instance_id"] == s.main], "the instance has no strategy")


# Configuration groups.

def values(s):
    return s.world.member.get(f"/configurations/{s.configuration}")["configuration"]["values"]


def configuration_create(s, do):
    do(name=s.name("group"), values='{"max_connections":120}')
    s.made["configuration"] = s.world.named("configurations", s.name("group"))
    expect(values(s) == {"max_connections": 120}, "the group has its values")


def configuration_list(s, do):
    configuration = s.configuration
    mentions(do(), configuration, s.name("group"), "mariadb")


def configuration_show(s, do):
    mentions(do(configuration=s.configuration), s.name("group"), "max_connections", "120")


def connections(s):
    return int(s.root("SELECT @@GLOBAL.max_connections"))


def configuration_attach(s, do):
    s.world.member.ask("PATCH", f"/configurations/{s.configuration}", {"configuration": {"values": {"max_connections": 120}}})
    do(id=s.main, configuration=s.configuration)
    s.world.until("the engine has the value", lambda: connections(s) == 120)
    s.world.active(s.main)
    expect(s.world.show(s.main)["configuration"]["id"] == s.configuration, "the instance has the group")


def attached(s):
    if not s.world.show(s.main).get("configuration"):
        s.world.member.must("PUT", f"/instances/{s.main}", {"instance": {"configuration": s.configuration}})
        s.world.active(s.main)


def configuration_instances(s, do):
    attached(s)
    mentions(do(configuration=s.configuration), s.main)


def configuration_patch(s, do):
    """A value is added, the others stay, and the engine has it at once."""
    attached(s)
    do(configuration=s.configuration, values='{"wait_timeout":1234}')
    expect(values(s).get("wait_timeout") == 1234 and "max_connections" in values(s), f"the value is added: {values(s)}")
    s.world.until("the engine has the value", lambda: s.root("SELECT @@GLOBAL.wait_timeout") == "1234")
    s.world.active(s.main)


def configuration_update(s, do):
    """All values are replaced."""
    attached(s)
    do(configuration=s.configuration, values='{"max_connections":130}')
    expect(values(s) == {"max_connections": 130}, f"all values are replaced: {values(s)}")
    s.world.until("the engine has the value", lambda: connections(s) == 130)
    s.world.active(s.main)


def configuration_default(s, do):
    mentions(do(id=s.main), "max_connections")


def configuration_detach(s, do):
    attached(s)
    do(id=s.main)
    s.world.until("the instance has no group", lambda: not s.world.show(s.main).get("configuration"))
    s.world.until("the engine has its own value again", lambda: connections(s) not in (120, 130))
    s.world.until("the instance is ACTIVE", lambda: s.world.show(s.main)["status"] in ("ACTIVE", "RESTART_REQUIRED"))
    if s.world.show(s.main)["status"] != "ACTIVE":
        s.world.member.must("POST", f"/instances/{s.main}/action", {"restart": {}})
        s.world.active(s.main)


def configuration_delete(s, do):
    """An attached group is refused; another is gone."""
    spare = s.world.configuration(s.name("spare"), {"max_connections": 140})
    do(configuration=spare)
    expect(s.world.member.ask("GET", f"/configurations/{spare}")[0] == 404, "the group is gone")
    attached(s)
    refused(lambda: do(configuration=s.configuration), "deleting an attached group")


def parameters(s, do):
    mentions(do(datastore="mariadb", version="10.11", version_id=s.world.version_id()), "max_connections", "integer")


def parameter(s, do):
    output = do(datastore="mariadb", version="10.11", version_id=s.world.version_id(), name="max_connections")
    mentions(output, "max_connections", "integer")
    omits(output, "wait_timeout")


# The administrator's parameters.

def parameter_spare(s):
    path = f"/mgmt/datastores/versions/{s.world.next_version()}/parameters"
    if s.world.admin.ask("GET", path + "/table_client")[0] != 200:
        s.world.admin.must("POST", path, {"configuration-parameter": {
            "name": "table_client", "restart_required": 0, "data_type": "integer", "max_size": 9, "min_size": 1}})
    return path


def managed_parameter_create(s, do):
    path = f"/mgmt/datastores/versions/{s.world.next_version()}/parameters"
    s.world.admin.ask("DELETE", path + "/table_client")
    do(version=s.world.next_version(), name="table_client")
    expect(s.world.admin.get(path + "/table_client")["type"] == "integer", "the version has the parameter")


def managed_parameters(s, do):
    parameter_spare(s)
    mentions(do(version=s.world.next_version()), "table_client")


def managed_parameter(s, do):
    parameter_spare(s)
    mentions(do(version=s.world.next_version(), name="table_client"), "table_client")


def managed_parameter_modify(s, do):
    path = parameter_spare(s)
    do(version=s.world.next_version(), name="table_client", maximum=99)
    expect(s.world.admin.get(path + "/table_client")["max_size"] in (99, "99"), "the parameter has its new maximum")


def managed_parameter_delete(s, do):
    path = parameter_spare(s)
    do(version=s.world.next_version(), name="table_client")
    expect(s.world.admin.ask("GET", path + "/table_client")[0] in (400, 404), "the parameter is gone")


def backup_copy(s, do):
    refused(lambda: do(name=s.name("copy"), backup=s.backup), "copying a backup to another region")
    raise NotApplicable(known.NO_COPY)
