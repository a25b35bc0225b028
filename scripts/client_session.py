# SPDX-License-Identifier: Apache-2.0
"""The unmodified `openstack` client, kept running: its start takes a second, a command in a running one some hundredths."""
import json
import os
import re
import subprocess
import tempfile
import time

from plane import ROOT, PlaneError

OPENSTACK = os.path.join(ROOT, ".build", "clients", "bin", "openstack")


class Unavailable(PlaneError):
    """The service answered 503 and when to ask again."""


class ClientSession:
    """One client that reads its commands from standard input, as in `openstack <commands`.

    What is answered with 503 is asked again for `patience` seconds, and counted.
    """

    def __init__(self, openrc, patience=0):
        if not os.path.exists(OPENSTACK):
            raise PlaneError("no openstack client here; make it with scripts/clients")
        self.folder = tempfile.TemporaryDirectory(prefix="trove-client-")
        self.paths = {name: os.path.join(self.folder.name, name) for name in ("out", "err")}
        self.read = {"out": 0, "err": 0}
        self.count = 0
        self.patience, self.asked_again = patience, 0
        with open(self.paths["out"], "wb") as out, open(self.paths["err"], "wb") as err:
            self.process = subprocess.Popen(
                [OPENSTACK], env=dict(os.environ, PYTHONUNBUFFERED="1", **openrc), stdin=subprocess.PIPE, stdout=out, stderr=err)

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def run(self, line, seconds=120):
        """Runs `line` and returns what it prints, read as JSON where it is."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return self.run_once(line, seconds)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                self.asked_again += 1
                time.sleep(1)

    def run_once(self, line, seconds):
        self.count += 1
        mark = f"end-of-command-{self.count}"
        self.process.stdin.write(f"{line}\nshell echo {mark}\n".encode())
        self.process.stdin.flush()
        deadline = time.monotonic() + seconds
        while not (output := self.text("out")).endswith(mark + "\n"):
            if self.process.poll() is not None:
                raise PlaneError("the openstack client ended: " + self.text("err"))
            if time.monotonic() > deadline:
                raise PlaneError(f"openstack {line}: no answer within {seconds} s")
            time.sleep(0.01)
        complaint = self.text("err")
        self.read["out"] += len(output.encode())
        self.read["err"] += len(complaint.encode())
        # Warnings of the client's own libraries are no failure.
        complaint = re.sub(r"^.*Warning: .*\n(  .*\n)?", "", complaint, flags=re.MULTILINE).strip()
        if complaint:
            # The client falls over a 503 that says when to ask again.
            refused = "unexpected keyword argument 'retry_after'" in complaint or "(HTTP 503)" in complaint
            raise (Unavailable if refused else PlaneError)(f"openstack {line}: {complaint}")
        output = output[:-len(mark) - 1].strip()
        try:
            return json.loads(output)
        except ValueError:
            return output

    def text(self, name):
        with open(self.paths[name], "rb") as file:
            file.seek(self.read[name])
            return file.read().decode(errors="replace")

    # The commands of the database service.

    def ask(self, line):
        return self.run(line + " -f json")

    def names(self, line):
        return sorted(row.get("Name", row.get("name")) for row in self.ask(line))

    def wait(self, line, field, good, bad, seconds=180):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            shown = self.ask(line)
            if shown[field] == good:
                return shown
            if shown[field] in bad:
                raise PlaneError(f"openstack {line}: {field} is {shown[field]}: {shown.get('fault')}")
            time.sleep(0.1)
        raise PlaneError(f"openstack {line}: {field} was not {good} within {seconds} s")

    def wait_empty(self, line, seconds=60):
        deadline = time.monotonic() + seconds
        while self.ask(line):
            if time.monotonic() > deadline:
                raise PlaneError(f"openstack {line}: was not empty within {seconds} s")
            time.sleep(0.1)
