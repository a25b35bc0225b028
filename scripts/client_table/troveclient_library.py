# SPDX-License-Identifier: Apache-2.0
"""The methods of the managers of python-troveclient as a library."""
import known
import library_cases as cases
from ops_catalogue import no_route
from scene import Scene
from sheet import Sheet
from table import NotApplicable
from worker_client import WORKER, WorkerClient, inventory, python, version

TITLE = "python-troveclient, the library"


def run(world, venv, tell, prefix="lib", title=TITLE, placeholders=(), other=None):
    placeholders = list(placeholders)
    calls = inventory(venv)["methods"]
    sheet = Sheet(title, version(venv, "python-troveclient"), calls, tell)
    scene = Scene(world, prefix)
    client = WorkerClient([python(venv), "-B", WORKER], world)
    sheet.run("Client.authenticate", authenticate)
    sheet.run("Client.get_database_api_version_from_endpoint", lambda: endpoint(client))
    sheet.calls += ["Client.authenticate", "Client.get_database_api_version_from_endpoint"]

    def bound(who, call, arguments):
        def do(**values):
            positional, keyword = arguments(values)
            return client.call(call.partition(" (")[0], *positional, who=who, **keyword)
        return do

    try:
        for who, listed in (("member", cases.MEMBER), ("administrator", cases.ADMINISTRATOR)):
            for call, operation, arguments in listed:
                if call.partition(" (")[0] in calls and call not in placeholders:
                    do = bound(who, call, (other or {}).get(call, arguments))
                    sheet.run(call, lambda: operation(scene, do))
        for call in filter(calls.__contains__, cases.EMPTY + placeholders):
            sheet.run(call, lambda: cases.empty(client, call))
        for call, words in cases.MEMBERS.items():
            sheet.run(call, lambda: no_route(scene, lambda: client.call(call, *words)))
        for call in filter(calls.__contains__, cases.WORKFLOW):
            sheet.run(call, cases.workflow)
    finally:
        client.close()
    sheet.close()
    return sheet


def endpoint(client):
    answer = client.call("Client.get_database_api_version_from_endpoint")
    if answer != "1.0":
        raise AssertionError(f"the endpoint's version is 1.0: {answer}")


def authenticate():
    raise NotApplicable(known.AUTHENTICATE)
