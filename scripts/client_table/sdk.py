# SPDX-License-Identifier: Apache-2.0
"""openstacksdk: the methods of `conn.database`, and those that its instances have."""
import json
import os
import subprocess

import ops_catalogue as catalogue
import ops_databases as databases
import ops_instances as instances
from library_cases import at, made
from scene import Scene, fails_inside, mentions
from sheet import Sheet
from table import expect
from worker_client import WorkerClient, python, version

SDK_WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk_worker.py")


def noted(operation, note):
    """The operation works, and the table tells what is peculiar about it."""
    def run(s, do):
        return operation(s, do) or note
    return run


def seen(s, do):
    """What the client keeps of an instance: addresses are not among it."""
    mentions(do(id=s.main), s.main, s.name("main"), "ACTIVE")


def wait_status(s, do):
    mentions(do(id=s.main, status="ACTIVE"), s.main)


def wait_delete(s, do):
    identifier = s.world.make(s.name("short-lived"))
    s.world.member.must("DELETE", f"/instances/{identifier}")
    do(id=identifier)
    expect(s.world.member.ask("GET", f"/instances/{identifier}")[0] == 404, "the instance is gone")


def find(s, do):
    mentions(do(name=s.name("main")), s.main)


def flavor_named(s, do):
    found = s.world.member.get("/flavors/2")["flavor"]
    mentions(do(name=found["id"]), found["name"])


CASES = [
    ("Proxy.flavors", catalogue.flavors, at()),
    ("Proxy.get_flavor", catalogue.flavor, at("flavor")),
    ("Proxy.find_flavor", flavor_named, at("name")),
    ("Proxy.create_instance", noted(instances.create_again, "Sends `flavor` for `flavorRef`, which is accepted; has no databases and users"),
     made(lambda name: ([], {
         "name": name, "flavor": "1", "volume": {"size": 1}, "datastore": {"type": "mariadb", "version": "10.11"}}))),
    ("Proxy.wait_for_status", wait_status, at("id", "status")),
    ("Proxy.instances", instances.listed, at()),
    ("Proxy.get_instance", seen, at("id")),
    ("Proxy.find_instance", find, at("name")),
    ("Proxy.update_instance", instances.rename, made(lambda id, name: ([id], {"name": name}))),
    ("Instance.is_root_enabled", databases.root_show, at("id")),
    ("Instance.enable_root_user", databases.root_enable, at("id")),
    ("Instance.restart", noted(instances.restarted, "Sends `{\"restart\": null}` for an object, which is accepted"), at("id")),
    ("Proxy.create_database", noted(databases.database_create, "Sends one object under `database`, which is accepted"),
     made(lambda id, name: ([id], {"name": name}))),
    ("Proxy.databases", databases.database_list, at("id")),
    ("Proxy.find_database", fails_inside, lambda values: (["shop"], {"instance": values["id"]})),
    ("Proxy.get_database", fails_inside, lambda values: (["shop"], {"instance": values["id"]})),
    ("Proxy.delete_database", databases.database_delete, made(lambda id, name: ([name], {"instance": id}))),
    ("Proxy.create_user", noted(databases.user_create, "Sends an object under `users` for a list, and the name in the path, which is accepted"),
     made(lambda id, name, password, database: ([id], {"name": name, "password": password, "databases": [{"name": database}]}))),
    ("Proxy.users", databases.user_list, at("id")),
    ("Proxy.find_user", fails_inside, lambda values: (["clerk"], {"instance": values["id"]})),
    ("Proxy.get_user", fails_inside, lambda values: (["clerk"], {"instance": values["id"]})),
    ("Proxy.delete_user", databases.user_delete, made(lambda id, name: ([name], {"instance": id}))),
    ("Instance.resize", instances.resize_flavor, at("id", "flavor")),
    ("Instance.resize_volume", noted(instances.resize_volume, "Sends a bare number for the volume, which is accepted"), at("id", "size")),
    ("Proxy.delete_instance", instances.delete, at("id")),
    ("Proxy.wait_for_delete", wait_delete, at("id")),
]


def run(world, venv, tell):
    calls = json.loads(subprocess.run(
        [python(venv), "-B", SDK_WORKER, "--list"], capture_output=True, check=True, text=True).stdout)
    sheet = Sheet("openstacksdk, `conn.database`", version(venv, "openstacksdk"), calls, tell)
    scene = Scene(world, "sdk")
    client = WorkerClient([python(venv), "-B", SDK_WORKER], world)

    def bound(call, arguments):
        def do(**values):
            positional, keyword = arguments(values)
            return client.call(call.partition(" (")[0], *positional, **keyword)
        return do

    try:
        for call, operation, arguments in CASES:
            sheet.run(call, lambda: operation(scene, bound(call, arguments)))
    finally:
        client.close()
    sheet.close()
    return sheet
