# SPDX-License-Identifier: Apache-2.0
"""python-troveclient in an interpreter of its own environment: library calls and `trove` commands that come as lines of JSON.

Run as `<venv>/bin/python worker.py`. The first line is {"member": environment, "administrator": environment}; every other one is
{"who", "call": "Class.method", "args", "kwargs"} or {"who", "shell": [word, …]}. Each is answered with a line: {"result"} or
{"error", "kind", "code"}. Knows nothing of the table, and works with any release of the client.
"""
import contextlib
import importlib
import inspect
import io
import json
import os
import pkgutil
import sys
import warnings

warnings.simplefilter("ignore")


def managers():
    """The client's manager classes by name, with the methods that each has of its own."""
    import troveclient.v1
    from troveclient import base
    found = {}
    for module in pkgutil.iter_modules(troveclient.v1.__path__):
        for name, kind in vars(importlib.import_module("troveclient.v1." + module.name)).items():
            if inspect.isclass(kind) and issubclass(kind, base.Manager) and kind.__module__.endswith("v1." + module.name):
                found[name] = kind
    return found


def methods():
    return sorted(
        f"{name}.{method}" for name, kind in managers().items() for method, value in vars(kind).items()
        if inspect.isfunction(value) and not method.startswith("_"))


def commands():
    """The commands of the `trove` shell."""
    from troveclient.v1 import shell
    return sorted(name[3:].replace("_", "-") for name in vars(shell) if name.startswith("do_"))


def connect(environment):
    # As the `openstack` client has it: of the generic plugin alone the library can read whose logs it is to fetch from the object store.
    from troveclient.v1 import client
    try:
        from keystoneauth1 import session
        from keystoneauth1.identity import generic as identity
    except ImportError:
        from keystoneclient import session
        from keystoneclient.auth.identity import v3 as identity
    auth = identity.Password(
        auth_url=environment["OS_AUTH_URL"], username=environment["OS_USERNAME"], password=environment["OS_PASSWORD"],
        user_domain_name=environment["OS_USER_DOMAIN_NAME"], project_name=environment["OS_PROJECT_NAME"],
        project_domain_name=environment["OS_PROJECT_DOMAIN_NAME"])
    opened = session.Session(auth=auth, verify=environment.get("OS_CACERT") or True)
    return client.Client(
        None, None, session=opened, auth=auth, service_type="database", endpoint_type="publicURL",
        region_name=environment.get("OS_REGION_NAME"))


def plain(value):
    """What a call returned, as JSON."""
    if hasattr(value, "_info"):
        return plain(value._info)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "__iter__"):
        return [plain(item) for item in value]
    if callable(value):
        return plain(list(value()))
    return str(value)


class Worker:
    def __init__(self, environments):
        self.environments, self.clients, self.managers = environments, {}, managers()

    def client(self, who):
        if who not in self.clients:
            self.clients[who] = connect(self.environments[who])
        return self.clients[who]

    def call(self, who, call, args=(), kwargs=None):
        kind, method = call.split(".")
        client = self.client(who)
        if kind == "Client":
            return plain(getattr(client, method)(*args, **(kwargs or {})))
        return plain(getattr(self.managers[kind](client), method)(*args, **(kwargs or {})))

    def shell(self, who, words):
        from troveclient import shell
        for name in [name for name in os.environ if name.startswith(("OS_", "TROVE"))]:
            del os.environ[name]
        os.environ.update(self.environments[who])
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                shell.OpenStackTroveShell().main(words)
            except SystemExit as end:
                if end.code:
                    raise RuntimeError((err.getvalue() + out.getvalue()).strip())
        return out.getvalue()


def serve(worker, answers):
    """Answers line by line."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "shell" in asked:
                answer = {"result": worker.shell(asked["who"], asked["shell"])}
            else:
                answer = {"result": worker.call(**asked)}
        except Exception as error:  # noqa: BLE001: whatever a client raises is its answer
            code = getattr(error, "code", None) or getattr(error, "http_status", None) or getattr(error, "status_code", None)
            answer = {"error": str(error) or repr(error), "kind": type(error).__name__, "code": code if isinstance(code, int) else None}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if "--list" in sys.argv:
        json.dump({"methods": methods(), "commands": commands()}, answers)
        return
    serve(Worker(json.loads(sys.stdin.readline())), answers)


if __name__ == "__main__":
    main()
