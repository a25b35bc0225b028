#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The production shape on this host: private MariaDB, RabbitMQ, Keystone and Barbican nodes with TLS, and two processes of each role.

Runs until Ctrl-C and leaves nothing behind. With --check it walks the client's list itself, kills one process of each role on
the way, and ends.
"""
import argparse
import os
import signal
import subprocess
import sys
import time

from demo import leftovers
from plane import PlaneError
from trial_check import Check
from trial_processes import Nodes, Trial


class Story:
    """Prints what happens, with times."""

    def __init__(self):
        self.began = time.monotonic()

    def tell(self, text):
        print(f"[{time.monotonic() - self.began:7.2f} s] {text}", flush=True)


def interrupted(number, frame):
    raise KeyboardInterrupt


def explain(trial):
    client = os.path.join(".build", "clients", "bin")
    print(f"""
  . {trial.openrc}                       # a member of project demo; admin-openrc beside it is the administrator
  {client}/openstack database instance create first --flavor 1 --size 1 --datastore mariadb
  {client}/openstack database instance list

  processes: {', '.join(f'{name} {process.pid}' for name, process in trial.processes.items())}
  logs: {trial.logs}
  Kill any of them; Ctrl-C stops everything and removes it.
""", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="release", choices=["debug", "release"])
    parser.add_argument("--check", action="store_true", help="walk the client's list through it, kill processes, and end")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    story = Story()
    nodes = trial = None
    status = 0
    try:
        story.tell("starting private MariaDB, RabbitMQ, Keystone and Barbican nodes")
        nodes = Nodes()
        story.tell("making the schema, starting two of each role")
        trial = Trial(arguments.config, nodes)
        trial.start()
        story.tell(f"serving at {trial.url}")
        if arguments.check:
            Check(trial, story).walk()
        else:
            explain(trial)
            trial.watch(story)
    except KeyboardInterrupt:
        print(flush=True)
    except (PlaneError, OSError, subprocess.TimeoutExpired) as error:
        print(f"trial: {error}", file=sys.stderr)
        status = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            if trial:
                story.tell("stopping")
                trial.end(keep_logs=status != 0)
                left = leftovers(trial.home)
                if left:
                    raise PlaneError("left behind: " + ", ".join(left))
        except (PlaneError, OSError, subprocess.TimeoutExpired) as error:
            print(f"trial: {error}", file=sys.stderr)
            status = 1
        finally:
            if nodes:
                nodes.end()
    if status == 0:
        story.tell("stopped; nothing is left behind")
    return status


if __name__ == "__main__":
    sys.exit(main())
