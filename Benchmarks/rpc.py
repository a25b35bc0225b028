#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Round trips through a private RabbitMQ: the bus against rabbitmq-c alone, and against a pair of oslo.messaging processes."""
import json
import os
import signal
import subprocess
import sys
import tempfile

from plane import ROOT, PlaneError

TICK = os.sysconf("SC_CLK_TCK")
EXCHANGE = "trove"


class Broker:
    """One private node, until `end`."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="trove-bench-")
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(ROOT, "scripts", "nodes.py"), "start", "--dir",
             os.path.join(self.folder.name, "nodes"), "rabbitmq"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            raise PlaneError("the broker did not start")
        node = json.loads(line)["rabbitmq"]
        self.host, self.port, self.user, self.vhost = node["host"], str(node["port"]), node["trove"]["user"], node["vhost"]
        with open(node["trove"]["password_file"]) as file:
            self.password = file.read().strip()
        with open(os.path.join(os.path.dirname(node["log"]), "pid")) as file:
            self.pid = int(file.read())

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.folder.cleanup()


def cpu(pid):
    """Processor seconds of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class End:
    """A process at one end, which got the password by its standard input and said that it is ready."""

    def __init__(self, broker, argv):
        self.name = os.path.basename(argv[0])
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(broker.password + "\n")
        self.process.stdin.flush()
        if self.line() != "ready":
            raise PlaneError(f"{self.name} did not get ready")

    def line(self):
        return self.process.stdout.readline().strip()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Kind:
    """How to start a server and a client of one kind."""

    def __init__(self, name, serve, call):
        self.name, self.serve, self.call = name, serve, call


def run(broker, kind, callers, seconds):
    """Calls a second, and processor milliseconds of a call: both ends, and the broker."""
    server = End(broker, kind.serve(broker))
    client = None
    try:
        client = End(broker, kind.call(broker, callers, seconds))
        pids = {"server": server.process.pid, "client": client.process.pid, "broker": broker.pid}
        before = {name: cpu(pid) for name, pid in pids.items()}
        client.go()
        line = client.line()
        if not line:
            raise PlaneError(f"{kind.name}: the caller failed")
        after = {name: cpu(pid) for name, pid in pids.items() if os.path.exists(f"/proc/{pid}/stat")}
        result = json.loads(line)
        used = {name: (after.get(name, before[name]) - before[name]) / result["calls"] * 1000 for name in pids}
        return dict(result, rate=result["calls"] / result["seconds"], ends_ms=used["server"] + used["client"],
                    broker_ms=used["broker"])
    finally:
        if client:
            client.stop()
        server.stop()


def kinds(config, broker):
    built = os.path.join(ROOT, ".build", config)
    ours, bare = os.path.join(built, "rpc-bench"), os.path.join(built, "rpc-echo")
    python = [os.path.join(ROOT, ".build", "peers", "bin", "python"), os.path.join(ROOT, "Benchmarks", "RPC", "pair.py")]
    address = f"{broker.host}:{broker.port}"

    def words(topic):
        return [address, broker.user, broker.vhost, EXCHANGE, topic]

    done = subprocess.run([ours, *words("bench"), "sizes"], input="-\n", capture_output=True, text=True)
    if done.returncode != 0:
        raise PlaneError(f"rpc-bench failed: {done.stderr.strip()}")
    sizes = json.loads(done.stdout)

    def echo(name, care):
        place = [bare, broker.host, broker.port, broker.user, broker.vhost, name]
        return Kind(
            name, lambda broker: [*place, "serve", str(sizes["reply"]), care],
            lambda broker, callers, seconds: [*place, "call", str(sizes["request"]), care, str(callers), str(seconds)])

    return [
        echo("bare", "1"), echo("careless", "0"),
        Kind("ours", lambda broker: [ours, *words("bench"), "serve"],
             lambda broker, callers, seconds: [ours, *words("bench"), "call", str(callers), str(seconds)]),
        Kind("python", lambda broker: [*python, *words("pair"), "serve"],
             lambda broker, callers, seconds: [*python, *words("pair"), "call", str(callers), str(seconds)]),
    ]


def measure_rpc(config, rounds=3, seconds=3):
    """For 1 and 64 callers the best round of each kind, interleaved."""
    broker = Broker()
    try:
        results = {}
        for callers in (1, 64):
            best = results[callers] = {}
            for _ in range(rounds):
                for kind in kinds(config, broker):
                    result = run(broker, kind, callers, seconds)
                    if kind.name not in best or result["rate"] > best[kind.name]["rate"]:
                        best[kind.name] = result
        return results
    finally:
        broker.end()


if __name__ == "__main__":
    print(json.dumps(measure_rpc(sys.argv[1] if len(sys.argv) > 1 else "release"), indent=1))
