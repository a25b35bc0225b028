#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Private MariaDB, RabbitMQ, Keystone and Barbican nodes on 127.0.0.1, for tests and trials.

    nodes.py start --dir DIR [--tls] NAME ...      starts them, prints one JSON document, and supervises them
    nodes.py ctl --dir DIR COMMAND [NAME]          kill, stop, start, restart, freeze, thaw, status, shutdown
    nodes.py space --dir DIR make NAME             a database, virtual host and region for one control plane; prints JSON
    nodes.py space --dir DIR announce NAME URL     puts its API's address into the catalogue
    nodes.py space --dir DIR drop NAME             removes it

NAME is mariadb, rabbitmq, keystone or barbican, with digits behind it for more than one (mariadb2). SIGTERM, SIGINT and the end of
standard input (where that is a pipe) stop everything and remove DIR; when this program is killed, the kernel kills the nodes.
"""
import argparse
import json
import os
import selectors
import shutil
import signal
import socket
import stat
import sys
import time

from node_files import NodeError, Ports, make_authority, make_password
from node_kinds import KINDS
from node_space import Space


def kind_of(name):
    return name.rstrip("0123456789")


def rank(name):
    """Nodes that others need come first."""
    kinds = list(KINDS)
    return kinds.index(kind_of(name)) if kind_of(name) in kinds else 0


class Stop(Exception):
    """Everything is to end."""


class Supervisor:
    """The nodes of one directory, and who may command them: standard input and DIR/control."""

    def __init__(self, directory, names, tls, options):
        self.directory = os.path.abspath(directory)
        self.made = not os.path.exists(self.directory)
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        self.tls = make_authority(os.path.join(self.directory, "tls")) if tls else None
        ports = Ports()
        self.nodes = options.nodes = {}
        for name in sorted(names, key=rank):
            kind = kind_of(name)
            if kind not in KINDS:
                raise NodeError(f"no node named '{name}'; there are {', '.join(KINDS)}, with a number behind for more of them")
            folder = os.path.join(self.directory, name)
            self.nodes[name] = KINDS[kind](name, folder, ports, self.tls, options)

    def start(self):
        for node in self.nodes.values():
            node.prepare()
        for node in self.nodes.values():
            node.spawn()
        for node in self.nodes.values():
            node.wait_ready()
        for node in self.nodes.values():
            node.made_ready()

    def document(self):
        document = {name: node.document() for name, node in self.nodes.items()}
        # Any passphrase: what control planes seal their guests' keys with.
        key = os.path.join(self.directory, "rpc.key")
        make_password(key)
        document.update(directory=self.directory, pid=os.getpid(), tls=bool(self.tls), rpc_key_file=key)
        if self.tls:
            document.update(self.tls)
        return document

    def command(self, words):
        """Does one command; returns what is to be answered."""
        verb, names = (words[0], words[1:]) if words else ("", [])
        if verb == "status" and not names:
            return {name: node.state() for name, node in self.nodes.items()}
        if verb == "shutdown" and not names:
            raise Stop
        if verb not in ("kill", "stop", "start", "restart", "freeze", "thaw") or not names:
            raise NodeError("a command is kill, stop, start, restart, freeze or thaw with a node's name, or status, or shutdown")
        for name in names:
            if name not in self.nodes:
                raise NodeError(f"no node '{name}' here; there are {', '.join(self.nodes)}")
            node = self.nodes[name]
            if verb in ("stop", "restart"):
                node.stop()
            if verb == "kill":
                node.kill()
            if verb in ("start", "restart") and node.state() != "running":
                node.spawn()
                node.wait_ready()
            if verb in ("freeze", "thaw"):
                node.signal(signal.SIGSTOP if verb == "freeze" else signal.SIGCONT)
        return {name: self.nodes[name].state() for name in names}

    def answer(self, line):
        try:
            reply = self.command(line.split())
        except NodeError as error:
            reply = {"error": str(error)}
        return json.dumps(reply) + "\n"

    def supervise(self):
        """Answers commands until standard input ends or a signal says stop."""
        poll = selectors.DefaultSelector()
        listener = socket.socket(socket.AF_UNIX)
        folder = os.open(self.directory, os.O_PATH)
        path = f"/proc/self/fd/{folder}/control"
        if os.path.lexists(path):
            os.unlink(path)
        listener.bind(path)
        listener.listen(8)
        poll.register(listener, selectors.EVENT_READ, "control")
        mode = os.fstat(0).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            poll.register(0, selectors.EVENT_READ, "input")
        pending = b""
        while True:
            for key, _ in poll.select():
                if key.data == "control":
                    connection, _ = listener.accept()
                    with connection, connection.makefile("rw") as stream:
                        stream.write(self.answer(stream.readline()))
                    continue
                chunk = os.read(0, 4096)
                if not chunk:
                    raise Stop
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    sys.stdout.write(self.answer(line.decode()))
                    sys.stdout.flush()

    def end(self, keep):
        for node in self.nodes.values():
            node.kill()
        for node in self.nodes.values():
            node.end_helpers()
        if keep:
            return
        if self.made:
            shutil.rmtree(self.directory, ignore_errors=True)
            return
        for name in [*self.nodes, "tls"]:
            shutil.rmtree(os.path.join(self.directory, name), ignore_errors=True)
        for name in ("control", "nodes.json", "rpc.key"):
            if os.path.lexists(os.path.join(self.directory, name)):
                os.unlink(os.path.join(self.directory, name))


def stop_on_signal(number, frame):
    raise Stop


def start(arguments):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop_on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
    supervisor = None
    status = 0
    try:
        began = time.monotonic()
        supervisor = Supervisor(arguments.dir, arguments.names, arguments.tls, arguments)
        supervisor.start()
        text = json.dumps(dict(supervisor.document(), seconds=round(time.monotonic() - began, 2)))
        with open(os.path.join(supervisor.directory, "nodes.json"), "w") as file:
            file.write(text + "\n")
        print(text, flush=True)
        supervisor.supervise()
    except Stop:
        pass
    except (NodeError, OSError) as error:
        print(f"nodes: {error}", file=sys.stderr)
        status = 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if supervisor:
            supervisor.end(arguments.keep)
    return status


def control(arguments):
    client = socket.socket(socket.AF_UNIX)
    try:
        folder = os.open(arguments.dir, os.O_PATH)
        client.connect(f"/proc/self/fd/{folder}/control")
    except OSError as error:
        print(f"nodes: nothing supervises {arguments.dir}: {error.strerror}", file=sys.stderr)
        return 1
    stream = client.makefile("rw")
    stream.write(" ".join([arguments.command, *arguments.names]) + "\n")
    stream.flush()
    line = stream.readline()
    if not line:
        return 0
    reply = json.loads(line)
    if "error" in reply:
        print("nodes: " + reply["error"], file=sys.stderr)
        return 1
    print(line, end="")
    return 0


def place(arguments):
    try:
        with open(os.path.join(arguments.dir, "nodes.json")) as file:
            space = Space(json.load(file), arguments.name)
        if arguments.command == "make":
            space.make()
            print(json.dumps(space.describe()))
        elif arguments.command == "announce":
            space.announce(arguments.url)
        else:
            space.drop()
        return 0
    except (NodeError, OSError) as error:
        print(f"nodes: {error}", file=sys.stderr)
        return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    starting = commands.add_parser("start", help="start nodes and supervise them in the foreground")
    starting.add_argument("--dir", required=True, help="where everything of them is kept; removed at the end when it is made here")
    starting.add_argument("--tls", action="store_true", help="an own authority; every listener speaks TLS (RabbitMQ also without)")
    starting.add_argument("--keep", action="store_true", help="leave the files at the end")
    starting.add_argument("--token-seconds", type=int, default=3600, help="how long Keystone's tokens are good")
    starting.add_argument("--mariadb-option", action="append", default=[], help="one more option of mariadbd")
    starting.add_argument("names", nargs="+", metavar="NAME")
    starting.set_defaults(run=start)
    commanding = commands.add_parser("ctl", help="command the nodes of a directory")
    commanding.add_argument("--dir", required=True)
    commanding.add_argument("command")
    commanding.add_argument("names", nargs="*", metavar="NAME")
    commanding.set_defaults(run=control)
    placing = commands.add_parser("space", help="a control plane's own part of the nodes")
    placing.add_argument("--dir", required=True)
    placing.add_argument("command", choices=["make", "announce", "drop"])
    placing.add_argument("name")
    placing.add_argument("url", nargs="?")
    placing.set_defaults(run=place)
    arguments = parser.parse_args()
    if getattr(arguments, "command", None) == "announce" and not arguments.url:
        parser.error("announce needs the API's URL")
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
