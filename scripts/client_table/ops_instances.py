# SPDX-License-Identifier: Apache-2.0
"""Calls about instances: each takes what makes the client's call, and looks for the effect."""
import os
import socket

import known
from plane import PlaneError
from scene import mentions, omits, refused
from table import NotApplicable, NotSo, expect
from world import NEXT_VERSION


def create(s, do):
    """A database and a user come with it, and the user logs in."""
    do(name=s.name("main"), database="shop", user="clerk", password="s3cret-Clerk")
    s.made["main"] = s.world.named("instances", s.name("main"))
    s.world.active(s.main)
    expect(s.world.logs_in(s.main, "clerk", "s3cret-Clerk", "shop"), "the user that came with the instance logs in")


def listed(s, do):
    identifier = s.main
    mentions(do(), identifier, s.name("main"), "ACTIVE")


def shown(s, do):
    mentions(do(id=s.main), s.main, s.name("main"), "ACTIVE", s.world.address(s.main))


def rename(s, do):
    do(id=s.main, name=s.name("renamed"))
    expect(s.world.show(s.main)["name"] == s.name("renamed"), "the instance has its new name")
    s.world.member.must("PUT", f"/instances/{s.main}", {"instance": {"name": s.name("main")}})


def access(s, do):
    """Afterwards one address may connect, and others may not."""
    do(id=s.main, cidr="127.0.0.1/32")
    s.world.until("the instance says so", lambda: s.world.show(s.main)["access"].get("allowed_cidrs") == ["127.0.0.1/32"])
    s.world.until("others are refused", lambda: not reachable(s, "127.0.0.9"))
    expect(reachable(s, "127.0.0.1"), "who may connect still does")
    s.world.active(s.main)
    s.world.member.must("PUT", f"/instances/{s.main}", {"instance": {"access": {}}})
    s.world.until("everyone may connect again", lambda: reachable(s, "127.0.0.9"))
    s.world.active(s.main)


def public_access(s, do):
    do(id=s.main)
    raise NotSo("a public address is accepted: it needs a case of its own")


def reachable(s, source):
    """Whether the engine greets who connects from the address."""
    try:
        with socket.create_connection((s.world.address(s.main), 3306), 2, (source, 0)) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False


def restarted(s, do):
    """What was set in the running engine alone is gone."""
    s.root("SET GLOBAL max_connect_errors = 4242")
    do(id=s.main)
    s.world.until("the engine was started anew", lambda: s.root("SELECT @@max_connect_errors") != "4242")
    s.world.active(s.main)


def resize_flavor(s, do):
    before = memory(s)
    do(id=s.main, flavor="2")
    s.world.until("the instance has flavor 2", lambda: str(s.world.show(s.main)["flavor"]["id"]) == "2")
    s.world.active(s.main)
    expect(s.root("SELECT 1") == "1", "the engine answers")
    expect(memory(s) > before, "its limit of memory is higher")


def memory(s):
    return s.world.admin.get(f"/mgmt/instances/{s.main}/hwinfo")["hwinfo"]["mem_total"]


def resize_volume(s, do):
    do(id=s.main, size=2)
    s.world.until("the volume has 2 GB", lambda: s.world.show(s.main)["volume"]["size"] == 2)
    s.world.active(s.main)
    expect(s.root("SELECT 1") == "1", "the engine answers")
    for mount in mounts(s.main):
        expect(os.statvfs(mount).f_blocks * os.statvfs(mount).f_frsize > 1.5e9, f"the file system at {mount} has grown")


def mounts(identifier):
    with open("/proc/self/mounts") as file:
        return [line.split()[1] for line in file if identifier in line.split()[1] and line.startswith("/dev/")]


def upgrade(s, do):
    s.world.next_version()
    do(id=s.main, version=NEXT_VERSION, version_id=s.world.next_version())
    s.world.until("the instance has the other version", lambda: s.world.show(s.main)["datastore"]["version"] == NEXT_VERSION)
    s.world.active(s.main)
    expect(s.world.logs_in(s.main, "clerk", "s3cret-Clerk", "shop"), "data and users are there after the upgrade")


def delete(s, do):
    identifier = s.world.make(s.name("short-lived"))
    do(id=identifier)
    s.world.gone(f"/instances/{identifier}")


def reset_status(s, do):
    """The instance is an error until its guest is heard of; the member's list of tasks is empty."""
    identifier = s.thing("reset", lambda: s.world.make(s.name("reset")))
    do(id=identifier)
    found = s.world.show(identifier)["operating_status"]
    expect(found in ("ERROR", "HEALTHY"), f"the instance is an error until its guest is heard: {found}")
    task = s.world.admin.get(f"/mgmt/instances/{identifier}")["instance"]["task_description"]
    expect(task == "No tasks for the instance.", f"no task is left: {task}")
    s.world.member.ask("DELETE", f"/instances/{identifier}")
    s.forget("reset")


# Replicas.

def create_replica(s, do):
    do(name=s.name("replica"), source=s.main)
    s.made["replica"] = s.world.named("instances", s.name("replica"))
    s.world.active(s.made["replica"])
    replicates(s, s.main, s.made["replica"])


def replicates(s, source, replica):
    """What is written at the source is read at the replica."""
    s.world.root(source, "CREATE DATABASE IF NOT EXISTS copied; CREATE OR REPLACE TABLE copied.t (n INT)")
    s.world.root(source, f"INSERT INTO copied.t VALUES ({os.getpid()})")
    s.world.roots[replica] = s.world.roots[source]
    s.world.until("the replica has what its source has", lambda: s.world.root(replica, "SELECT n FROM copied.t") == str(os.getpid()))


def promote(s, do):
    replica = s.replica()
    do(id=replica)
    s.world.until("the old source is the replica", lambda: s.world.show(s.main).get("replica_of", {}).get("id") == replica)
    s.world.active(replica)
    s.world.active(s.main)
    s.made["main"], s.made["replica"] = replica, s.main
    replicates(s, s.main, s.made["replica"])


def eject(s, do):
    """A source that answers is not ejected: the refusal says so."""
    s.replica()
    try:
        do(id=s.main)
    except Exception as error:  # noqa: BLE001
        if "heartbeat" in str(error):
            return "The source answers, so it is refused with 400, as it should be"
        raise
    raise NotSo("a source with a current heartbeat is not ejected")


def detach(s, do):
    replica = s.replica()
    do(id=replica)
    s.world.until("the instance is no replica", lambda: not s.world.show(replica).get("replica_of"))
    s.world.active(replica)
    s.world.root(replica, "CREATE DATABASE IF NOT EXISTS mine")
    s.world.member.must("DELETE", f"/instances/{replica}")
    s.world.gone(f"/instances/{replica}")
    s.forget("replica")


# The administrator's.

def stop(s, do):
    do(id=s.main)
    s.world.until("the engine does not answer", lambda: not answers(s))
    s.world.until("a restart is accepted", lambda: s.world.member.ask("POST", f"/instances/{s.main}/action", {"restart": {}})[0] == 202)
    s.world.until("the engine answers", lambda: answers(s))
    s.world.active(s.main)


def answers(s):
    try:
        return s.root("SELECT 1") == "1"
    except (PlaneError, NotSo):
        return False


def kept(s, do):
    """Whatever is done to its server, the instance is ACTIVE afterwards with its data."""
    s.root("CREATE OR REPLACE TABLE shop.kept (n INT); INSERT INTO shop.kept VALUES (7)")
    do(id=s.main, image=s.world.image(s.main))
    s.world.until("the instance is ACTIVE", lambda: s.world.show(s.main)["status"] == "ACTIVE")
    s.world.until("the data are there", lambda: s.root("SELECT n FROM shop.kept") == "7")


def reset_task(s, do):
    do(id=s.main)
    task = s.world.admin.get(f"/mgmt/instances/{s.main}")["instance"]["task_description"]
    expect(task == "No tasks for the instance.", f"no task is left: {task}")


def refused_update(s, do):
    refused(lambda: do(id=s.main), "the action 'update'", 400)
    raise NotApplicable(known.NO_ACTION)


def managed_list(s, do):
    identifier = s.main
    mentions(do(), identifier, s.name("main"))


def root_history(s, do):
    s.root("SELECT 1")
    output = do(id=s.main)
    mentions(output, s.main)
    omits(output, "Never")


def create_again(s, do):
    """Another instance, which is not kept."""
    do(name=s.name("again"))
    identifier = s.world.named("instances", s.name("again"))
    s.world.active(identifier)
    s.world.member.must("DELETE", f"/instances/{identifier}")
    s.world.gone(f"/instances/{identifier}")
