#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs command lines of systemd units where no systemd runs: with their environment, capabilities, sockets and readiness.

    unit.py STATE enable --now NAME ...                starts the units of /etc/systemd/system, in order
    unit.py STATE start|stop|restart NAME ...          a stop is SIGTERM, and waits
    unit.py STATE reload NAME ...                      as the unit says
    unit.py STATE kill --signal=NAME NAME ...          to the main process
    unit.py STATE daemon-reload

STATE is a directory for logs, process ids and sockets.
"""
import os
import shlex
import signal
import socket
import subprocess
import sys
import time

UNITS = "/etc/systemd/system"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"


def read(name):
    """Values by key of a unit's own section, drop-ins included; a key that comes again adds to its list, an empty one ends it."""
    wanted = "[Socket]" if name.endswith(".socket") else "[Service]"
    folder = os.path.join(UNITS, name + ".d")
    more = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    section, values = "", {}
    for path in [os.path.join(UNITS, name), *(os.path.join(folder, file) for file in more)]:
        with open(path) as file:
            for line in map(str.strip, file):
                if line.startswith("["):
                    section = line
                elif section == wanted and "=" in line and not line.startswith("#"):
                    key, value = line.split("=", 1)
                    values[key] = [*values.get(key, []), value] if value else []
    return values


def environment(values):
    result = {"PATH": PATH}
    for line in values.get("Environment", []):
        result.update(word.split("=", 1) for word in shlex.split(line))
    for path in values.get("EnvironmentFile", []):
        if not os.path.exists(path.lstrip("-")):
            if path.startswith("-"):
                continue
            raise SystemExit(f"unit: no {path}")
        with open(path.lstrip("-")) as file:
            for line in file:
                if "=" in line and not line.startswith("#"):
                    key, value = line.strip().split("=", 1)
                    result[key] = value.strip("'\"")
    return result


def confine(values):
    """setpriv's words for what of the unit can be had without systemd."""
    words = ["setpriv"]
    if "CapabilityBoundingSet" in values:
        kept = ["+" + name[len("CAP_"):].lower() for line in values["CapabilityBoundingSet"] for name in line.split()]
        words += ["--bounding-set", ",".join(["-all", *kept]), "--inh-caps", "-all"]
    if values.get("NoNewPrivileges") == ["yes"]:
        words.append("--no-new-privs")
    return words + ["--"] if len(words) > 1 else []


def start_socket(state, name):
    """Listens, and leaves a process that keeps the socket for whoever is started with it."""
    host, port = read(name)["ListenStream"][-1].rsplit(":", 1)
    listener = socket.create_server((host, int(port)), backlog=int(read(name).get("Backlog", ["128"])[0]))
    handover = socket.socket(socket.AF_UNIX)
    handover.bind(os.path.join(state, name))
    handover.listen(8)
    pid = os.fork()
    if pid:
        write_pid(state, name, pid)
        return
    os.setsid()
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    while True:
        asker, _ = handover.accept()
        with asker:
            socket.send_fds(asker, [b"s"], [listener.fileno()])


def inherited(state, name):
    """The descriptor of the socket unit with this service's name; None when it is not started."""
    asker = socket.socket(socket.AF_UNIX)
    try:
        asker.connect(os.path.join(state, name + ".socket"))
    except OSError:
        return None
    with asker:
        return socket.recv_fds(asker, 1, 1)[1][0]


def start(state, name):
    if name.endswith(".socket"):
        return start_socket(state, name)
    values = read(name + ".service")
    command = [*confine(values), *shlex.split(values["ExecStart"][0])]
    descriptor = inherited(state, name)
    if descriptor is not None:
        # The program finds it as descriptor 3, under the process id that it has after these exec calls.
        command = ["/bin/sh", "-c", f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{descriptor}', "sh", *command]
    log = open(os.path.join(state, name + ".log"), "ab")
    said = log.tell()
    process = subprocess.Popen(
        command, env=environment(values), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        umask=int(values.get("UMask", ["0022"])[0], 8), pass_fds=[] if descriptor is None else [descriptor])
    write_pid(state, name, process.pid)
    deadline = time.monotonic() + 60
    while b"trove: ready" not in open(log.name, "rb").read()[said:]:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"unit: {name} did not become ready:\n" + open(log.name, errors="replace").read())
        time.sleep(0.05)


def write_pid(state, name, pid):
    with open(os.path.join(state, name + ".pid"), "w") as file:
        file.write(str(pid))


def main_pid(state, name):
    """None when it was not started."""
    try:
        with open(os.path.join(state, name + ".pid")) as file:
            return int(file.read())
    except FileNotFoundError:
        return None


def stop(state, name):
    pid = main_pid(state, name)
    if pid is None:
        return
    os.unlink(os.path.join(state, name + ".pid"))
    if name.endswith(".socket"):
        os.unlink(os.path.join(state, name))
    try:
        os.kill(pid, signal.SIGTERM)
        for _ in range(600):
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(") ", 1)[1][0] == "Z":
                    return
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        return


def reload(state, name):
    line = read(name + ".service")["ExecReload"][0].replace("$MAINPID", str(main_pid(state, name)))
    subprocess.run(shlex.split(line), check=True)


def send(state, name, signals):
    pid = main_pid(state, name)
    if pid is None or len(signals) != 1:
        raise SystemExit(f"unit: {name} is not started, or there is not one signal")
    os.kill(pid, signal.Signals[signals[0]])


def main():
    state, verb, *words = sys.argv[1:]
    names = [word for word in words if not word.startswith("-")]
    if verb in ("stop", "restart"):
        for name in reversed(names):
            stop(state, name)
    if verb in ("enable", "start", "restart"):
        for name in names:
            start(state, name)
    elif verb == "reload":
        for name in names:
            reload(state, name)
    elif verb == "kill":
        for name in names:
            send(state, name, [word.split("=", 1)[1] for word in words if word.startswith("--signal=")])
    elif verb not in ("stop", "daemon-reload"):
        raise SystemExit(f"unit: no '{verb}' here")


if __name__ == "__main__":
    main()
