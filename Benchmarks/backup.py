#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backup and restore of 500 MB, against the raw pipeline of the engine's own tools."""
import os
import shutil
import statistics
import subprocess
import threading
import time

from create import Connection, agents, create, delete, memory_of
from plane import ROOT, Client, PlaneError, sql

KEY, IV = "00" * 32, "00" * 16


def pipeline(stages, stdout=None):
    """Runs programs connected by pipes and fails when one of them fails."""
    processes, source = [], None
    for index, stage in enumerate(stages):
        last = index == len(stages) - 1
        process = subprocess.Popen(
            stage, stdin=source, stdout=stdout if last else subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if source:
            source.close()
        source = process.stdout
        processes.append(process)
    codes = [process.wait() for process in processes]
    if any(codes):
        raise PlaneError(f"the raw pipeline failed: {codes}")


def raw_backup(address, password, data, path):
    """Seconds of the engine's backup program through zstd and openssl into a file."""
    defaults = path + ".cnf"
    with open(os.open(defaults, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"[client]\nuser=root\npassword={password}\nhost={address}\n")
    began = time.monotonic()
    with open(path, "wb") as file:
        pipeline(
            [["mariabackup", f"--defaults-file={defaults}", "--backup", "--stream=xbstream", f"--datadir={data}",
              "--target-dir=/tmp"],
             ["zstd", "-1", "-T1", "-q"], ["openssl", "enc", "-aes-256-ctr", "-K", KEY, "-iv", IV]],
            stdout=file,
        )
        os.fsync(file.fileno())
    os.remove(defaults)
    return time.monotonic() - began


def raw_restore(path, folder):
    """Seconds of the way back: decrypt, decompress, extract, prepare."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    began = time.monotonic()
    pipeline(
        [["openssl", "enc", "-d", "-aes-256-ctr", "-K", KEY, "-iv", IV, "-in", path], ["zstd", "-d", "-q"],
         ["mbstream", "-x", "-C", folder]]
    )
    subprocess.run(
        ["mariabackup", "--no-defaults", "--prepare", f"--target-dir={folder}"], check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    seconds = time.monotonic() - began
    shutil.rmtree(folder)
    return seconds


class Peak:
    """The largest resident size of a process while it is watched."""

    def __init__(self, pid):
        self.pid, self.idle = pid, memory_of(pid)[0]
        self.largest, self.running = self.idle, True
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self):
        while self.running:
            self.largest = max(self.largest, memory_of(self.pid)[0])
            time.sleep(0.01)

    def stop(self):
        self.running = False
        self.thread.join()
        return self.largest - self.idle


def product_backup(connection, identifier):
    began = time.monotonic()
    backup = connection.call("POST", "/backups", {"backup": {"name": "bench", "instance": identifier}})["backup"]["id"]
    while True:
        status = connection.call("GET", f"/backups/{backup}")["backup"]["status"]
        if status == "COMPLETED":
            return time.monotonic() - began, backup
        if status == "FAILED":
            raise PlaneError("the backup failed")
        time.sleep(0.005)


def fill(address, password, megabytes):
    """Rows that compress about as real ones do: half of each is digits of a hash."""
    rows = megabytes * 1024
    sql(address, "root", password, "bench",
        "CREATE TABLE filler (id INT PRIMARY KEY, noise CHAR(128) CHARACTER SET ascii, words VARCHAR(800) CHARACTER SET ascii)")
    step = 25_000
    for first in range(1, rows + 1, step):
        last = min(rows, first + step - 1)
        sql(address, "root", password, "bench",
            f"INSERT INTO filler SELECT seq, SHA2(seq, 512), CONCAT(SHA2(seq + 1, 512), SHA2(seq + 2, 512), "
            f"REPEAT(CONCAT('row ', seq, ' '), 40)) FROM seq_{first}_to_{last}")


def measure_backup(plane, megabytes=450, rounds=3):
    connection = Connection(Client(plane))
    _, identifier, address = create(connection, "data", gib=5)
    password = connection.call("POST", f"/instances/{identifier}/root", {})["user"]["password"]
    fill(address, password, megabytes)
    data = os.path.join(os.environ.get("TROVE_RUN_DIR", "/run/trove"), "i", identifier, "data")
    size = sum(
        os.stat(os.path.join(folder, name)).st_blocks * 512 for folder, _, names in os.walk(data) for name in names
    )
    scratch = os.path.join(ROOT, ".build", "bench", "raw")
    os.makedirs(scratch, exist_ok=True)
    path = os.path.join(scratch, "stream")
    raw, ours, raw_back, ours_back, growth = [], [], [], [], []
    agent = agents(plane.home)[0]
    for number in range(rounds):
        raw.append(raw_backup(address, password, data, path))
        peak = Peak(agent)
        seconds, backup = product_backup(connection, identifier)
        growth.append(peak.stop())
        ours.append(seconds)
        raw_back.append(raw_restore(path, os.path.join(scratch, "data")))
        seconds, restored, _ = create(connection, f"restored-{number}", gib=5, backup=backup)
        ours_back.append(seconds)
        delete(connection, restored)
        connection.call("DELETE", f"/backups/{backup}")
    shutil.rmtree(scratch)
    delete(connection, identifier)
    print(f"     raw backup {raw}, ours {ours}; raw restore {raw_back}, ours {ours_back}")
    return {
        "data_mb": size / 1e6, "backup_ratio": statistics.median(raw) / statistics.median(ours),
        "restore_ratio": statistics.median(raw_back) / statistics.median(ours_back), "agent_growth_mb": max(growth),
    }
