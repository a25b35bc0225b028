#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs command lines of systemd units where no systemd runs: with their environment, capabilities and readiness.

    unit.py STATE enable --now NAME ...       starts the units of /etc/systemd/system, in order
    unit.py STATE stop NAME ...               SIGTERM, and waits
    unit.py STATE daemon-reload

STATE is a directory for logs and process ids.
"""
import os
import shlex
import signal
import subprocess
import sys
import time

UNITS = "/etc/systemd/system"


def read(path):
    """Values by key of the [Service] section; a key that comes again adds to its list."""
    section, values = "", {}
    with open(path) as file:
        for line in file:
            line = line.strip()
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                key, value = line.split("=", 1)
                values.setdefault(key, []).append(value)
    return values


def environment(values):
    result = dict(os.environ)
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
    # What the services of a host do not have.
    for key in [key for key in result if key.startswith("OS_")]:
        del result[key]
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


def start(state, name):
    values = read(os.path.join(UNITS, name + ".service"))
    command = shlex.split(values["ExecStart"][0])
    log = open(os.path.join(state, name + ".log"), "ab")
    process = subprocess.Popen(
        [*confine(values), *command], env=environment(values), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True, umask=int(values.get("UMask", ["0022"])[0], 8))
    with open(os.path.join(state, name + ".pid"), "w") as file:
        file.write(str(process.pid))
    deadline = time.monotonic() + 60
    while b"ready" not in open(log.name, "rb").read():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"unit: {name} did not become ready:\n" + open(log.name, errors="replace").read())
        time.sleep(0.05)


def stop(state, name):
    path = os.path.join(state, name + ".pid")
    if not os.path.exists(path):
        return
    with open(path) as file:
        pid = int(file.read())
    os.unlink(path)
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


def main():
    state, verb, *names = sys.argv[1:]
    names = [name for name in names if not name.startswith("-")]
    if verb == "enable":
        for name in names:
            start(state, name)
    elif verb == "stop":
        for name in reversed(names):
            stop(state, name)
    elif verb != "daemon-reload":
        raise SystemExit(f"unit: no '{verb}' here")


if __name__ == "__main__":
    main()
