# SPDX-License-Identifier: Apache-2.0
"""Calls about guest logs, TLS and security groups."""
import os
import tempfile

from scene import mentions
from table import expect


# Guest logs.

def logs(s):
    return s.world.member.get(f"/instances/{s.main}/log")["logs"]


def log(s, name):
    return next(found for found in logs(s) if found["name"] == name)


def user_log(s):
    """A log that its user may switch on and off."""
    found = [item["name"] for item in logs(s) if item["type"] == "USER"]
    expect(found, "there is a log of the type USER")
    return "general" if "general" in found else found[0]


def act(s, **what):
    return s.world.member.must("POST", f"/instances/{s.main}/log", dict(name=user_log(s), **what))["log"]


def log_list(s, do):
    mentions(do(id=s.main), *[item["name"] for item in logs(s)])


def log_show(s, do):
    mentions(do(id=s.main, log=user_log(s)), user_log(s), log(s, user_log(s))["status"])


def log_enable(s, do):
    do(id=s.main, log=user_log(s))
    settle(s)
    expect(log(s, user_log(s))["status"] not in ("Disabled",), "the log is enabled")


def settle(s):
    """Restarts the engine where a log needs it."""
    if s.world.show(s.main)["status"] == "RESTART_REQUIRED" or log(s, user_log(s))["status"] == "Restart Required":
        s.world.member.must("POST", f"/instances/{s.main}/action", {"restart": {}})
    s.world.active(s.main)


def written(s):
    """Enabled, and something of this client is in it."""
    act(s, enable=1)
    settle(s)
    s.root(f"SELECT '{s.name('mark')}'")


def log_publish(s, do):
    written(s)
    do(id=s.main, log=user_log(s))
    expect(int(log(s, user_log(s))["published"]) > 0, "something is published")


def published(s):
    written(s)
    act(s, publish=1)


def log_tail(s, do):
    published(s)
    mentions(do(id=s.main, log=user_log(s)), s.name("mark"))


def log_save(s, do):
    published(s)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "saved.log")
        do(id=s.main, log=user_log(s), file=path)
        names = os.listdir(folder)
        expect(names, "a file is written")
        with open(os.path.join(folder, names[0]), errors="replace") as file:
            mentions(file.read(), s.name("mark"))


def log_discard(s, do):
    published(s)
    do(id=s.main, log=user_log(s))
    expect(int(log(s, user_log(s))["published"]) == 0, "nothing is published any more")


def log_disable(s, do):
    act(s, enable=1)
    settle(s)
    do(id=s.main, log=user_log(s))
    settle(s)
    expect(log(s, user_log(s))["status"] in ("Disabled", "Ready", "Published", "Partial"), "the log is disabled")


# TLS.

def ssl(s):
    return s.world.member.get(f"/instances/{s.main}/ssl?include_certificate=true")["ssl"]


def ssl_show(s, do):
    mentions(do(id=s.main), ssl(s)["status"], ssl(s)["mode"])


def ssl_settle(s, wanted):
    """Until the engine's TLS is on or off, with a restart where it needs one."""
    def check():
        found = s.world.show(s.main)
        if found["operating_status"] == "RESTART_REQUIRED":
            s.world.member.must("POST", f"/instances/{s.main}/action", {"restart": {}})
        return found["status"] == "ACTIVE" and found["operating_status"] == "HEALTHY" and ssl(s)["status"] == wanted
    s.world.until(f"TLS is {wanted}", check, 120)


def ssl_enable(s, do):
    do(id=s.main, container=s.world.certificate_container(), mode="basic")
    ssl_settle(s, "on")
    expect(ssl(s)["status"] == "on" and ssl(s)["mode"] == "basic", f"TLS is on: {ssl(s)}")
    expect(s.root("SHOW VARIABLES LIKE 'have_ssl'").endswith("YES"), "the engine has TLS")


def ssl_rollback(s, do):
    before = ssl(s)["mode"]
    do(id=s.main)
    ssl_settle(s, "off" if before == "basic" else "on")
    expect(ssl(s)["mode"] != before, f"TLS is as it was before: {ssl(s)}")


def ssl_disable(s, do):
    do(id=s.main)
    ssl_settle(s, "off")
    expect(ssl(s)["status"] == "off" and ssl(s)["mode"] == "builtin", f"TLS is off: {ssl(s)}")


# Security groups.

def group(s):
    found = [item for item in s.world.member.get("/security-groups")["security_groups"] if item["instance_id"] == s.main]
    expect(found, "the instance has a security group")
    return found[0]


def rules(s):
    return s.world.member.get(f"/security-groups/{group(s)['id']}")["security_group"]["rules"]


def group_list(s, do):
    identifier = group(s)["id"]
    mentions(do(), identifier, s.main)


def group_show(s, do):
    mentions(do(group=group(s)["id"]), group(s)["id"], s.main)


def rule_add(s, do):
    do(group=group(s)["id"], cidr="127.9.0.0/16")
    expect("127.9.0.0/16" in [rule["cidr"] for rule in rules(s)], "the group has the rule")


def rule(s):
    found = [item["id"] for item in rules(s) if item["cidr"] == "127.9.0.0/16"]
    if not found:
        body = {"group_id": group(s)["id"], "cidr": "127.9.0.0/16"}
        s.world.member.must("POST", "/security-group-rules", {"security_group_rule": body})
        found = [item["id"] for item in rules(s) if item["cidr"] == "127.9.0.0/16"]
    expect(found, "the group has a rule")
    return found[0]


def group_rules(s, do):
    rule(s)
    mentions(do(group=group(s)["id"]), "127.9.0.0/16")


def rule_delete(s, do):
    identifier = rule(s)
    do(rule=identifier)
    expect(identifier not in [item["id"] for item in rules(s)], "the rule is gone")
