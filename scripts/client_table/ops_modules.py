# SPDX-License-Identifier: Apache-2.0
"""Calls about modules."""
import base64
import os
import tempfile

from scene import mentions
from table import expect

CONTENTS = "message=hello from the table"


def module_body(s, name, **more):
    contents = base64.b64encode(CONTENTS.encode()).decode()
    return {"module": dict({"name": name, "module_type": "ping", "contents": contents}, **more)}


def module(s):
    return s.thing("module", lambda: s.world.member.must("POST", "/modules", module_body(s, s.name("module")))["module"]["id"])


def module_create(s, do):
    with tempfile.NamedTemporaryFile("w", suffix=".ping") as file:
        file.write(CONTENTS)
        file.flush()
        do(name=s.name("module"), file=file.name, contents=CONTENTS)
    s.made["module"] = s.world.named("modules", s.name("module"))


def module_list(s, do):
    identifier = module(s)
    mentions(do(), identifier, s.name("module"), "ping")


def module_show(s, do):
    mentions(do(module=module(s)), module(s), s.name("module"), "ping")


def module_update(s, do):
    do(module=module(s), description="of the table")
    found = s.world.member.get(f"/modules/{module(s)}")["module"]["description"]
    expect(found == "of the table", f"the module has its new description: {found}")


def of_guest(s):
    return [found["id"] for found in s.world.member.get(f"/instances/{s.main}/modules?from_guest=True")["modules"]]


def module_apply(s, do):
    do(id=s.main, module=module(s))
    expect(module(s) in of_guest(s), "the guest has the module")


def applied(s):
    if module(s) not in of_guest(s):
        s.world.member.must("POST", f"/instances/{s.main}/modules", {"modules": [{"id": module(s)}]})


def module_of_instance(s, do):
    applied(s)
    mentions(do(id=s.main), s.name("module"))


def module_retrieve(s, do):
    applied(s)
    with tempfile.TemporaryDirectory() as folder:
        do(id=s.main, folder=folder)
        names = os.listdir(folder)
        expect(names, "a file is written")
        with open(os.path.join(folder, names[0]), errors="replace") as file:
            mentions(file.read(), "hello from the table")


def module_instances(s, do):
    applied(s)
    mentions(do(module=module(s)), s.main)


def module_count(s, do):
    applied(s)
    mentions(do(module=module(s)), "1")


def module_reapply(s, do):
    applied(s)
    do(module=module(s))
    s.world.until("the guest has the module", lambda: module(s) in of_guest(s))
    s.world.active(s.main)


def module_remove(s, do):
    applied(s)
    do(id=s.main, module=module(s))
    expect(module(s) not in of_guest(s), "the guest no longer has the module")


def module_delete(s, do):
    identifier = module(s)
    if s.main and identifier in of_guest(s):
        s.world.member.must("DELETE", f"/instances/{s.main}/modules/{identifier}")
    do(module=identifier)
    expect(s.world.member.ask("GET", f"/modules/{identifier}")[0] == 404, "the module is gone")
    s.forget("module")
