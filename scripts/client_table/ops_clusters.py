# SPDX-License-Identifier: Apache-2.0
"""Calls about clusters."""
from scene import mentions, refused
from table import Unprepared, expect
from world import DATASTORE, NEXT_VERSION, VERSION

CLUSTER = DATASTORE, VERSION


def cluster_create(s, do):
    do(name=s.name("cluster"), datastore=CLUSTER[0], version=CLUSTER[1])
    s.made["cluster"] = s.world.named("clusters", s.name("cluster"))
    settled(s, s.made["cluster"])


def members(s, cluster):
    return s.world.member.get(f"/clusters/{cluster}")["cluster"]["instances"]


def settled(s, cluster):
    def check():
        found = s.world.member.get(f"/clusters/{cluster}")["cluster"]
        return found["task"]["name"] == "NONE" and all(item.get("status") == "ACTIVE" for item in found["instances"])
    s.world.until("the cluster has no task, and its members are ACTIVE", check, 180)


def cluster(s):
    def make():
        part = {"flavorRef": "1", "volume": {"size": 1}}
        body = {"name": s.name("cluster"), "datastore": {"type": CLUSTER[0], "version": CLUSTER[1]}, "instances": [part] * 3}
        identifier = s.world.member.must("POST", "/clusters", {"cluster": body})["cluster"]["id"]
        settled(s, identifier)
        return identifier
    return s.thing("cluster", make)


def cluster_list(s, do):
    try:
        mentions(do(), cluster(s), s.name("cluster"))
    except Unprepared as error:
        if error.code != 501:
            raise
        do()
        expect(s.world.member.get("/clusters")["clusters"] == [], "there are no clusters")
        return "Lists none: no datastore of this release forms clusters"


def cluster_show(s, do):
    mentions(do(cluster=cluster(s)), cluster(s), s.name("cluster"))


def cluster_instances(s, do):
    mentions(do(cluster=cluster(s)), *[item["id"] for item in members(s, cluster(s))])


def cluster_modules(s, do):
    do(cluster=cluster(s))


def cluster_root(s, do):
    do(cluster=cluster(s), password="s3cret-Root")
    first = members(s, cluster(s))[0]["id"]
    expect(s.world.logs_in(first, "root", "s3cret-Root"), "root logs in at a member")


def cluster_root_show(s, do):
    enabled = s.world.member.get(f"/clusters/{cluster(s)}/root")["rootEnabled"]
    mentions(str(do(cluster=cluster(s))).lower(), str(enabled).lower())


def cluster_grow(s, do):
    before = {item["id"] for item in members(s, cluster(s))}
    do(cluster=cluster(s), name=s.name("grown"))
    settled(s, cluster(s))
    new = [item["id"] for item in members(s, cluster(s)) if item["id"] not in before]
    expect(len(new) == 1, "there is one member more")
    s.made["grown"] = new[0]


def cluster_shrink(s, do):
    count = len(members(s, cluster(s)))
    member = s.made.get("grown") or members(s, cluster(s))[-1]["id"]
    do(cluster=cluster(s), instance=member)
    settled(s, cluster(s))
    expect(len(members(s, cluster(s))) == count - 1, "there is one member less")


def cluster_upgrade(s, do):
    s.world.next_version()
    do(cluster=cluster(s), version=NEXT_VERSION)
    settled(s, cluster(s))
    found = s.world.member.get(f"/clusters/{cluster(s)}")["cluster"]["datastore"]["version"]
    expect(found == NEXT_VERSION, f"the cluster has the other version: {found}")


def cluster_reset(s, do):
    do(cluster=cluster(s))
    found = s.world.member.get(f"/clusters/{cluster(s)}")["cluster"]["task"]["name"]
    expect(found == "NONE", f"the cluster has no task: {found}")


def cluster_delete(s, do):
    identifier = cluster(s)
    do(cluster=identifier)
    s.world.gone(f"/clusters/{identifier}", 120)
    s.forget("cluster")
    s.forget("grown")


def add_shard(s, do):
    refused(lambda: do(cluster=cluster(s)), "adding a shard to a cluster without shards", 400)
    return "This datastore has no shards: 400, as from every server since Mitaka"
