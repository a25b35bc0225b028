# SPDX-License-Identifier: Apache-2.0
"""openstacksdk's `conn.database` in its own environment; takes what worker.py takes.

Calls are "Proxy.method", or "Instance.method" with the instance's id first: that is fetched, and asked.
"""
import inspect
import json
import os
import sys
import warnings

import worker

warnings.simplefilter("ignore")


def methods():
    from openstack.database.v1 import _proxy, instance
    return sorted(
        f"{name}.{method}" for name, kind in (("Proxy", _proxy.Proxy), ("Instance", instance.Instance))
        for method, value in vars(kind).items() if inspect.isfunction(value) and not method.startswith("_"))


def plain(value):
    if hasattr(value, "to_dict"):
        return worker.plain(value.to_dict())
    if inspect.isgenerator(value):
        return [plain(item) for item in value]
    return worker.plain(value)


class SDKWorker:
    def __init__(self, environments):
        self.environments, self.connections = environments, {}

    def connection(self, who):
        if who not in self.connections:
            import openstack
            rc = self.environments[who]
            self.connections[who] = openstack.connect(
                auth_url=rc["OS_AUTH_URL"], username=rc["OS_USERNAME"], password=rc["OS_PASSWORD"],
                project_name=rc["OS_PROJECT_NAME"], user_domain_name=rc["OS_USER_DOMAIN_NAME"],
                project_domain_name=rc["OS_PROJECT_DOMAIN_NAME"], region_name=rc.get("OS_REGION_NAME"),
                cacert=rc.get("OS_CACERT"), identity_api_version="3", load_yaml_config=False, load_envvars=False)
        return self.connections[who]

    def call(self, who, call, args=(), kwargs=None):
        kind, method = call.split(".")
        database = self.connection(who).database
        if kind == "Instance":
            return plain(getattr(database.get_instance(args[0]), method)(database, *args[1:], **(kwargs or {})))
        found = dict(kwargs or {})
        if method.startswith("wait_for"):
            args = [database.get_instance(args[0]), *args[1:]]
        return plain(getattr(database, method)(*args, **found))


if __name__ == "__main__":
    if "--list" in sys.argv:
        json.dump(methods(), sys.stdout)
    else:
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        worker.serve(SDKWorker(json.loads(sys.stdin.readline())), answers)
