# SPDX-License-Identifier: Apache-2.0
"""Programs that take calls as lines of JSON: `worker.py` in a client's own environment, and the one of gophercloud."""
import json
import os
import subprocess
import tempfile

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")


class Refused(Exception):
    """What the client raised; `kind` is its class, `code` the status that it got, or None."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('kind', 'error')}: {answer['error']}")
        self.kind, self.code = answer.get("kind"), answer.get("code")


class WorkerClient:
    def __init__(self, command, world, who="member"):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.who = who
        self.send({"member": world.member_rc, "administrator": world.admin_rc})

    def send(self, document):
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()

    def ask(self, document):
        self.send(document)
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise Refused({"error": "the client ended: " + self.errors.read().decode(errors="replace")[-1000:]})
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer)
        return answer["result"]

    def call(self, call, *args, who="member", **kwargs):
        return self.ask({"who": who, "call": call, "args": args, "kwargs": kwargs})

    def shell(self, words, who="member"):
        return self.ask({"who": who, "shell": [str(word) for word in words]})

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def python(venv):
    return os.path.join(venv, "bin", "python")


def inventory(venv):
    """The calls that a release of python-troveclient has: {"methods", "commands"}."""
    return json.loads(subprocess.run([python(venv), "-B", WORKER, "--list"], capture_output=True, check=True, text=True).stdout)


def version(venv, package):
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python(venv), "-c", code], capture_output=True, check=True, text=True).stdout.strip()
