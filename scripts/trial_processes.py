# SPDX-License-Identifier: Apache-2.0
"""What a trial runs: the nodes, and two processes of each role on one home, configured from the production samples."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from plane import ROOT, PlaneError

ROLES = ("api", "taskmanager", "conductor")
# What logs say of a process that trapped.
TRAP = r"Fatal error|Assertion failed|\*\*\* Signal|ended by signal (?!9\b)"


class Nodes:
    """`nodes.py` below the trial's folder; ends with it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="trove-trial-")
        os.rmdir(self.directory)
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(ROOT, "scripts", "nodes.py"), "start", "--dir", self.directory, "--tls",
             "mariadb", "rabbitmq", "keystone", "barbican"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            raise PlaneError("the nodes did not start")
        self.document = json.loads(line)

    def space(self, *words):
        return self.nodes("space", *words)

    def control(self, verb, name):
        """`kill`, `start` and so on; a start ends when the node answers."""
        self.nodes("ctl", verb, name)

    def nodes(self, command, *words):
        result = subprocess.run(
            [sys.executable, "-B", os.path.join(ROOT, "scripts", "nodes.py"), command, "--dir", self.directory, *words],
            capture_output=True, text=True, timeout=180)
        if result.returncode != 0:
            raise PlaneError(result.stderr.strip())
        return result.stdout

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Trial:
    """Two of each role, with their logs, on a home below .build/trial."""

    # How long a token is trusted without Keystone's word: short, since the check waits for its end.
    CACHE_SECONDS = 20

    def __init__(self, config, nodes):
        scratch = os.path.join(ROOT, ".build", "trial")
        os.makedirs(scratch, mode=0o711, exist_ok=True)
        self.home = tempfile.mkdtemp(prefix="home-", dir=scratch)
        self.logs = self.home + ".logs"
        os.makedirs(self.logs)
        self.binary = os.path.join(ROOT, ".build", config, "trove")
        self.nodes = nodes
        self.space = json.loads(nodes.space("make", "trial"))
        self.openrc = os.path.join(self.home, "trial-openrc")
        self.processes = {}
        self.ends = {}
        self.configure()
        # Both API processes accept from one socket, as two units behind one systemd socket do.
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1024)
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def configure(self):
        """The production sample with this trial's addresses; only what the sample has can be set."""
        config = os.path.join(self.home, "config")
        shutil.copytree(os.path.join(ROOT, "Config", "datastores"), os.path.join(config, "datastores"))
        for name in ("flavors.yaml", "plugins.yaml"):
            shutil.copy(os.path.join(ROOT, "Config", name), config)
        tls = self.nodes.document
        values = dict(self.space["settings"], **{
            "api.tls_certificate": tls["certificate_file"], "api.tls_key": tls["key_file"], "api.rate_limit_per_minute": "0",
            "identity.cache_seconds": str(self.CACHE_SECONDS), "metrics.listen": '""', "taskmanager.lease": "5",
            "guest.report_interval": "5"})
        with open(os.path.join(ROOT, "Config", "production", "trove.yaml")) as file:
            text = fill(file.read(), values)
        with open(os.path.join(config, "trove.yaml"), "w") as file:
            file.write(text)
        for name, variables in (("trial-openrc", self.space["openrc"]), ("admin-openrc", self.space["administrator"])):
            path = os.path.join(self.home, name)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.writelines(f"export {key}='{value}'\n" for key, value in variables.items())

    def run(self, *words, timeout=120):
        return subprocess.run([self.binary, *words, "--home", self.home], capture_output=True, text=True, timeout=timeout)

    def start(self):
        upgraded = self.run("db", "upgrade")
        if upgraded.returncode != 0:
            raise PlaneError("trove db upgrade: " + upgraded.stderr + upgraded.stdout)
        for number in (1, 2):
            for role in ROLES:
                self.spawn(role, f"{role}-{number}")
        for name in self.processes:
            self.wait_ready(name)
        self.nodes.space("announce", "trial", self.url)

    def spawn(self, role, name):
        environment = dict(os.environ, TROVE_HOME=self.home, TROVE_TASKMANAGER_NAME=name)
        arguments, options = [self.binary, "serve", "--role", role], {}
        if role == "api":
            # The program finds the socket as descriptor 3, as systemd hands it over.
            descriptor = self.listener.fileno()
            arguments = ["/bin/sh", "-c", f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{descriptor}', "sh", *arguments]
            options = {"pass_fds": [descriptor]}
        with open(os.path.join(self.logs, name + ".log"), "ab") as log:
            self.processes[name] = subprocess.Popen(
                arguments, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                **options)

    def wait_ready(self, name):
        line = self.processes[name].stdout.readline().decode()
        if "ready" not in line:
            raise PlaneError(f"{name} did not become ready:\n" + self.log_tail(name))

    def log_tail(self, name):
        with open(os.path.join(self.logs, name + ".log"), errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def watch(self, story):
        """Starts again what has ended, as a service manager does, until interrupted."""
        while True:
            time.sleep(0.5)
            for name, process in list(self.processes.items()):
                if process.poll() is not None:
                    story.tell(f"{name} ended; starting it again")
                    self.revive(name)

    def revive(self, name):
        self.spawn(name.rsplit("-", 1)[0], name)
        self.wait_ready(name)

    def kill(self, name):
        """Ends a process with everything below it as kill -9 does."""
        family = descendants(self.processes[name].pid)
        self.processes[name].kill()
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.processes[name].wait()

    def kill_parent(self, name):
        """Ends a role's parent alone as kill -9 does; returns who is left without it."""
        orphans = descendants(self.processes[name].pid)
        self.processes[name].kill()
        self.processes[name].wait()
        return orphans

    def wait_ended(self, pids, what):
        deadline = time.monotonic() + 60
        while any(runs(pid) for pid in pids):
            if time.monotonic() > deadline:
                raise PlaneError(f"{what} did not end within a minute")
            time.sleep(0.05)

    def lines(self, pattern):
        """Lines of the logs with a pattern, with the names of their processes."""
        found = []
        for name in sorted(os.listdir(self.logs)):
            with open(os.path.join(self.logs, name), errors="replace") as file:
                found += [f"{name}: {line.strip()}" for line in file if re.search(pattern, line)]
        return found

    def worker(self, name):
        """The first child of a role's parent: what serves."""
        children = descendants(self.processes[name].pid)
        if not children:
            raise PlaneError(f"{name} has no worker")
        return children[0]

    def end(self, keep_logs):
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        late = []
        for name, process in self.processes.items():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                late.append(name)
                self.kill(name)
        self.listener.close()
        subprocess.run([self.binary, "purge", "--yes", "--home", self.home], capture_output=True, timeout=120)
        shutil.rmtree(self.home, ignore_errors=True)
        if keep_logs:
            print(f"trial: the logs are kept in {self.logs}", file=sys.stderr)
        else:
            shutil.rmtree(self.logs, ignore_errors=True)
        if late:
            raise PlaneError(f"{', '.join(late)} did not stop within a minute")


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def descendants(pid):
    found = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def fill(text, values):
    """A sample with values by dotted key; a key that the sample does not have is a mistake here."""
    section, lines, missing = "", [], dict(values)
    for line in text.splitlines():
        match = re.match(r"^( *)([a-z_]+):(?: +(\"[^\"]*\"|[^#\s]+))?(\s*#.*)?$", line)
        if match:
            indent, key, _, comment = match.groups()
            if not indent:
                section = key
            dotted = f"{section}.{key}" if indent else key
            if dotted in missing:
                line = f"{indent}{key}: {missing.pop(dotted)}{'  ' + comment.strip() if comment else ''}"
        lines.append(line)
    if missing:
        raise PlaneError("Config/production/trove.yaml has no " + ", ".join(missing))
    return "\n".join(lines) + "\n"
