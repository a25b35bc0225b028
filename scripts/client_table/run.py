#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls everything that every client has against one control plane, looks for the effects, and writes the table.

Needs the programs that were built and what scripts/clients makes. Ends with 1 when a call fails
in a way that is not on the list of known.py, or when that list has a refusal which no call met.
"""
import argparse
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import gophercloud  # noqa: E402
import known  # noqa: E402
import legacy_shell  # noqa: E402
import liberty  # noqa: E402
import openstack_cli  # noqa: E402
import sdk  # noqa: E402
import troveclient_library  # noqa: E402
from demo import leftovers  # noqa: E402
from page import page  # noqa: E402
from plane import ROOT, ControlPlane, PlaneError  # noqa: E402
from table import FAIL  # noqa: E402
from trial import interrupted  # noqa: E402
from trial_processes import Nodes, Trial  # noqa: E402
from world import World  # noqa: E402

BUILD = os.path.join(ROOT, ".build")
NEW, OLD = os.path.join(BUILD, "clients"), os.path.join(BUILD, "clients-liberty")
CLIENTS = {
    "openstack": lambda world, tell: [openstack_cli.run(world, NEW, tell)],
    "library": lambda world, tell: [troveclient_library.run(world, NEW, tell)],
    "shell": lambda world, tell: [legacy_shell.run(world, NEW, tell)],
    "liberty": lambda world, tell: liberty.run(world, OLD, tell),
    "sdk": lambda world, tell: [sdk.run(world, NEW, tell)],
    "gophercloud": lambda world, tell: [gophercloud.run(world, os.path.join(BUILD, "clients-go", "gophercloud"), tell)],
}


class Embedded:
    """One process that does everything, on a scratch home."""

    name = "embedded: one process, SQLite, the built-in identity"

    def __init__(self, config):
        self.plane = ControlPlane(config, scratch="clients-run")
        self.home = self.plane.home
        self.member, self.administrator = self.plane.credentials(), self.plane.administrator()

    def end(self, failed):
        self.plane.stop()
        self.plane.purge()
        if not failed:
            os.remove(self.plane.log_path)
        else:
            print(f"clients: the control plane's log is kept in {self.plane.log_path}", file=sys.stderr)


class Production:
    """Two processes of each role, with MariaDB, RabbitMQ and Keystone nodes of their own."""

    name = ("production: two processes of each role, with MariaDB, RabbitMQ and Keystone. `REQUESTS_CA_BUNDLE` names their certificate\n"
            "authority too, since python-troveclient does not tell the object store's client, by which it reads logs, of `OS_CACERT`")

    def __init__(self, config):
        self.nodes = Nodes()
        try:
            self.trial = Trial(config, self.nodes)
            self.trial.start()
        except BaseException:
            self.nodes.end()
            raise
        self.home = self.trial.home
        self.member, self.administrator = self.trial.space["openrc"], self.trial.space["administrator"]
        os.environ["REQUESTS_CA_BUNDLE"] = self.member["OS_CACERT"]

    def end(self, failed):
        try:
            self.trial.end(keep_logs=failed)
        finally:
            self.nodes.end()


def clean(variables):
    """What clients read from their environment, and nothing of the caller's own."""
    return {name: value for name, value in variables.items() if name.startswith("OS_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="release", choices=["debug", "release"])
    parser.add_argument("--shape", default="embedded", choices=["embedded", "production"])
    parser.add_argument("--report", help="the page to write")
    parser.add_argument("--only", action="append", choices=list(CLIENTS), help="one client; can be repeated")
    arguments = parser.parse_args()
    began = time.monotonic()

    def tell(row):
        if row.outcome == FAIL or os.environ.get("CLIENTS_VERBOSE"):
            print(f"[{time.monotonic() - began:7.2f} s] {row.outcome}: {row.call}: {row.remark} ({row.seconds:.1f} s)", flush=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    for name in [name for name in os.environ if name.startswith("OS_")]:
        del os.environ[name]
    sheets, shape, status = [], None, 1
    try:
        shape = (Embedded if arguments.shape == "embedded" else Production)(arguments.config)
        world = World(clean(shape.member), clean(shape.administrator), shape.home)
        for name in arguments.only or CLIENTS:
            done = CLIENTS[name](world, tell)
            sheets += done
            for sheet in done:
                print(f"[{time.monotonic() - began:7.2f} s] {sheet.title} {sheet.version}: {len(sheet.rows)} cases, "
                      f"{sheet.count(FAIL)} failed", flush=True)
        unmet = [] if arguments.only else known.unmet()
        for message in unmet:
            print(f"clients: no call was refused with this, so take it off the list of known.py: {message}", file=sys.stderr)
        status = 1 if unmet or any(sheet.count(FAIL) for sheet in sheets) else 0
    except (PlaneError, OSError, subprocess.SubprocessError) as error:
        print(f"clients: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        arguments.report, status = None, 130
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if shape:
            try:
                shape.end(status != 0)
                left = leftovers(shape.home)
                if left:
                    raise PlaneError("left behind: " + ", ".join(left))
            except (PlaneError, OSError, subprocess.SubprocessError) as error:
                print(f"clients: {error}", file=sys.stderr)
                status = 1
    if arguments.report and sheets:
        with open(os.path.join(ROOT, arguments.report), "w") as file:
            file.write(page(sheets, shape.name))
    return status


if __name__ == "__main__":
    sys.exit(main())
