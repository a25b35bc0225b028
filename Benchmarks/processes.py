# SPDX-License-Identifier: Apache-2.0
"""What processes have used, from /proc, and which instances the benchmarks know."""
import os
import uuid

TICK = os.sysconf("SC_CLK_TCK")


def tree(root):
    """The process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = stat(int(entry))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry))
    found, open_ones = [], [root]
    while open_ones:
        pid = open_ones.pop()
        found.append(pid)
        open_ones += parents.get(pid, [])
    return found


def stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def seconds(pid):
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0


def identifier(guest):
    """As in heartbeats.py."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"guest {guest}"))
