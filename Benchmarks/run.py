#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what the product promises, each as a ratio against a floor that is measured interleaved in the same run.

Writes .build/bench/results.json, prints each figure, and exits 1 when a promise is missed. Needs root (mounts).
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from backup import measure_backup  # noqa: E402
from calls import measure_calls  # noqa: E402
from conductor import measure_conductor  # noqa: E402
from create import measure_creates, measure_memory, parallel  # noqa: E402
from engines import ENGINES  # noqa: E402
from listing import measure_listing  # noqa: E402
from plane import ControlPlane, PlaneError  # noqa: E402
from reads import measure_reads  # noqa: E402
from rpc import measure_rpc  # noqa: E402
from shared_listing import REFERENCE_MS as REFERENCE_PAGE_MS, measure_shared_listing  # noqa: E402
from xml_listing import measure_xml  # noqa: E402


class Report:
    """Figures with their promises."""

    def __init__(self):
        self.figures = []

    def add(self, name, value, unit, promise, limit, conditions):
        """`promise` is "max" or "min": how `limit` bounds `value`; None for a figure that only informs."""
        met = None if promise is None else value <= limit if promise == "max" else value >= limit
        self.figures.append(
            {"name": name, "value": round(value, 4), "unit": unit, "promise": promise, "limit": limit, "met": met,
             "conditions": conditions}
        )
        bound = "" if promise is None else f"  ({'≤' if promise == 'max' else '≥'} {limit})"
        mark = {True: "ok  ", False: "MISS", None: "    "}[met]
        print(f"{mark} {name}: {value:.3f} {unit}{bound}  [{conditions}]", flush=True)

    def save(self):
        folder = os.path.join(ROOT, ".build", "bench")
        os.makedirs(folder, exist_ok=True)
        machine = {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()}
        with open(os.path.join(folder, "results.json"), "w") as file:
            json.dump({"machine": machine, "time": time.time(), "figures": self.figures}, file, indent=1)
        return all(figure["met"] is not False for figure in self.figures)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["create", "backup", "list", "memory", "calls", "conductor", "rpc", "shared-list",
                                           "xml", "reads"],
                        action="append")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--config", default="release")
    arguments = parser.parse_args()
    chosen = arguments.only or ["calls", "rpc", "conductor", "create", "memory", "backup", "list", "xml", "reads", "shared-list"]
    report = Report()
    try:
        if "calls" in chosen:
            calls(arguments.config, report)
        if "rpc" in chosen:
            rpc(arguments.config, report)
        if "conductor" in chosen:
            conductor(arguments.config, report)
        if "shared-list" in chosen:
            shared_listing(arguments.config, report)
        if "create" in chosen:
            plane = ControlPlane(arguments.config, scratch="bench")
            try:
                creates(plane, report, arguments.rounds)
            finally:
                plane.purge()
        if "memory" in chosen:
            plane = ControlPlane(arguments.config, scratch="bench")
            try:
                memory(plane, report)
            finally:
                plane.purge()
        if "backup" in chosen:
            plane = ControlPlane(arguments.config, scratch="bench")
            try:
                backups(plane, report)
            finally:
                plane.purge()
        if "list" in chosen:
            plane = ControlPlane(arguments.config, scratch="bench", environment={"TROVE_API_CONSTANT_ROUTE": "true"})
            try:
                listing(plane, report)
            finally:
                plane.purge()
        if "reads" in chosen:
            plane = ControlPlane(arguments.config, scratch="bench", environment={"TROVE_API_CONSTANT_ROUTE": "true"})
            try:
                reads(plane, report)
            finally:
                plane.purge()
        if "xml" in chosen:
            plane = ControlPlane(arguments.config, scratch="bench")
            try:
                xml_listing(plane, report)
            finally:
                plane.purge()
    except (PlaneError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        report.save()
        return 2
    return 0 if report.save() else 1


def calls(config, report):
    result = measure_calls(config)
    conditions = "10,000,000 calls, least of 5 loops"
    direct = result["direct_ns"]
    for language, limit in (("c", 5.0), ("rust", 5.0), ("swift", 50.0)):
        over = result[f"table_{language}_ns"] - direct
        report.add(f"call through a table, {language}, over a direct one", over, "ns", "max", limit, conditions)
        foreign = result[f"foreign_{language}_ns"]
        report.add(f"action through libffi, {language}, without JSON", foreign, "ns", "max", 1000, "1,000,000 calls")
    report.add("loading the first plugin of a process", result["load_first_ms"], "ms", None, None, "C, least of 10")
    report.add("loading a probed plugin", result["load_ms"], "ms", "max", 1.0, "mean of Rust and Swift, least of 10")
    operations = result["operations"]
    conditions = f"{operations['count']:,} asynchronous operations over C, Rust and Swift"
    report.add("operations lost or wrong", operations["lost"] + operations["wrong"], "", "max", 0, conditions)
    report.add("operations a second", operations["count"] / operations["seconds"], "1/s", None, None, conditions)


def rpc(config, report):
    results = measure_rpc(config)
    for callers, faster in ((1, 5), (64, 8)):
        kinds = results[callers]
        ours, bare, careless, python = (kinds[name] for name in ("ours", "bare", "careless", "python"))
        who = "1 caller" if callers == 1 else f"{callers} callers"
        conditions = f"{who}, both ends on this machine, the best of 3 interleaved rounds"
        report.add(f"RPC round trips, {who}", ours["rate"], "1/s", None, None, conditions)
        report.add(f"RPC round trip p50, {who}", ours["p50_us"] / 1000, "ms", None, None, conditions)
        report.add(f"RPC over a bare echo that confirms and acknowledges, {who}", ours["rate"] / bare["rate"], "x", "min", 0.5,
                   conditions)
        report.add(f"RPC over a bare echo that does neither, {who}", ours["rate"] / careless["rate"], "x", None, None, conditions)
        report.add(f"RPC over a pair of oslo.messaging, {who}", ours["rate"] / python["rate"], "x", "min", faster, conditions)
        report.add(f"RPC processor time of both ends, {who}", ours["ends_ms"], "ms", None, None, conditions)
        report.add(f"RPC processor time of both ends, the pair's over ours, {who}", python["ends_ms"] / ours["ends_ms"], "x",
                   "min", 10, conditions)
        report.add(f"RPC processor time of the broker, {who}", ours["broker_ms"], "ms", None, None, conditions)
        report.add(f"RPC processor time of the broker for the pair, {who}", python["broker_ms"], "ms", None, None, conditions)


def conductor(config, report):
    result = measure_conductor(config)
    each = {side: statistics.median((run["conductor"] + run["database"]) / run["count"] * 1000 for run in result[side])
            for side in ("backlog", "reference")}
    count, rounds = result["backlog"][0]["count"], len(result["backlog"])
    conditions = f"conductor and database; a queue of {count:,} distinct guests, durable commits, {rounds} interleaved rounds, medians"
    report.add("heartbeat", each["backlog"], "ms CPU", None, None, conditions)
    report.add("heartbeat, the reference's conductor", each["reference"], "ms CPU", None, None, conditions)
    report.add("heartbeats a CPU second over the reference's", each["reference"] / each["backlog"], "x", "min", 50, conditions)
    steady = result["steady"]
    # A sender that has not got its share of a busy machine sends fewer: what they cost is reckoned up.
    share = steady["wanted"] / min(steady["wanted"], steady["rate"])
    conditions = f"100,000 guests, one every 30 s: {steady['wanted']:.0f} a second, from {steady['rate']:.0f} that were sent"
    report.add("conductor and database", (steady["conductor"] + steady["database"]) * share, "cores", "max", 1, conditions)
    report.add("conductor alone", steady["conductor"] * share, "cores", None, None, conditions)
    report.add("broker beside them", steady["broker"] * share, "cores", None, None, conditions)
    report.add("newest written heartbeat, age", steady["lag"], "s", "max", 2, conditions)


def creates(plane, report, rounds):
    for engine in ENGINES.values():
        result = measure_creates(plane, rounds, engine)
        floor, ours = result["floor"], result["ours"]
        name = engine.datastore
        conditions = f"{rounds} interleaved rounds, 5 GiB volume, warm template"
        middle = statistics.median(floor)
        report.add(f"create {name}, floor p50", middle * 1000, "ms", None, None, conditions)
        report.add(f"create {name}, POST to ACTIVE and login p50", statistics.median(ours) * 1000, "ms", None, None,
                   conditions)
        report.add(f"create {name} p50 over floor p50", statistics.median(ours) / middle, "x", "max", 2.0, conditions)
        report.add(f"create {name} p95 over floor p50", percentile(ours, 0.95) / middle, "x", "max", 4.0, conditions)
    report.add("creates that succeeded, 20 at 4 at a time", parallel(plane), "", "min", 20, "5 GiB volumes")


def memory(plane, report):
    result = measure_memory(plane)
    conditions = "10 running instances, idle"
    report.add("control plane resident", result["control_rss_mb"], "MB", "max", 120, conditions)
    report.add("agent PSS, largest", max(result["agent_pss_mb"]), "MB", "max", 20, conditions)
    report.add("agent USS, largest", max(result["agent_uss_mb"]), "MB", None, None, conditions)


def backups(plane, report):
    result = measure_backup(plane)
    conditions = f"{result['data_mb']:.0f} MB of data, 3 interleaved rounds, medians"
    report.add("backup speed over raw pipeline", result["backup_ratio"], "x", "min", 0.8, conditions)
    report.add("restore speed over raw pipeline", result["restore_ratio"], "x", "min", 0.8, conditions)
    report.add("agent memory above idle during a backup", result["agent_growth_mb"], "MB", "max", 64, conditions)


def listing(plane, report):
    result = measure_listing(plane)
    conditions = f"1,000 instances, {result['bytes']} bytes a body, wrk -t1 -c8, {result['rounds']} interleaved rounds"
    report.add("list requests a second", result["list"], "1/s", None, None, conditions)
    report.add("constant route requests a second", result["constant"], "1/s", None, None, conditions)
    report.add("list over constant route", result["list"] / result["constant"], "x", "min", 0.3, conditions)


def reads(plane, report):
    for name, result in measure_reads(plane).items():
        conditions = f"{result['bytes']} bytes a body, wrk -t1 -c8, {result['rounds']} interleaved rounds, medians"
        report.add(f"read of {name}, requests a second", result["rate"], "1/s", None, None, conditions)
        report.add(f"read of {name} over constant route", result["ratio"], "x", "min", 0.3, conditions)


def xml_listing(plane, report):
    result = measure_xml(plane)
    conditions = (f"1,000 instances, {result['bytes']} bytes as XML, {result['json_bytes']} as JSON, wrk -t1 -c8, "
                  f"{result['rounds']} interleaved rounds")
    report.add("list as XML, requests a second", result["xml"], "1/s", None, None, conditions)
    report.add("list as JSON, requests a second", result["json"], "1/s", None, None, conditions)
    report.add("list as XML over JSON", result["xml"] / result["json"], "x", "min", 0.5, conditions)


def shared_listing(config, report):
    result = measure_shared_listing(config)
    conditions = "20 of 1,000 and of 100,000 instances on a private MariaDB, tokens of a real Keystone"
    report.add("rows read for a page, 100,000 over 1,000", result["rows"][1] / result["rows"][0], "x", "max", 1, conditions)
    report.add("page of 20, 100,000 over 1,000", result["large_ms"] / result["small_ms"], "x", "max", 1.25,
               "median of 30 interleaved pairs of 50 requests")
    each = result["api_cpu_ms"] + result["database_cpu_ms"]
    report.add("page of 20, API", result["api_cpu_ms"], "ms CPU", None, None, "3,000 requests of 1,000 instances")
    report.add("page of 20, database", result["database_cpu_ms"], "ms CPU", None, None, "3,000 requests of 1,000 instances")
    report.add("page of 20 over the reference's processor time", each / REFERENCE_PAGE_MS, "x", "max", 1 / 200, conditions)


if __name__ == "__main__":
    sys.exit(main())
