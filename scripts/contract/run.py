#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends every row of the REST contract to a running control plane and holds the answers against the rows.

Reads from standard input {"url", "shape", "features": […], "key_manager"?, "store": {"sqlite": path} or {"command": […], "environment": {…}},
"callers": {"member" | "admin" | "other": {"project", "token"}}}. Prints one JSON object a row, {"row", "outcome", "why"?} with the
outcome `pass`, `fail` or `left out`. `--report FILE` also writes the shape's column of the table.
"""
import argparse
import json
import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import report
from callers import Caller
from rows import filled, judge, load
from store import MariaDBStore, SQLiteStore
from things import Things


def ask(row, things, callers):
    """One row: None, or what is wrong with the answer."""
    caller = callers[row.role]
    path = filled(row.path, things)
    if not row.path.startswith(("/v1.0/", "/v2.0/", "{root}", "{unversioned}")):
        path = f"/v1.0/{caller.project}{path}"
    if row.query:
        path += "?" + filled(row.query, things)
    body = None
    if row.text is not None:
        body = row.text.encode()
    elif row.body is not None:
        body = json.dumps(filled(row.body, things)).encode()
    message = None if row.message is None else filled(row.message, things)
    status, headers, answer = caller.send(row.method, path, body, row.headers)
    things.after(row, status)
    if row.method == "POST" and path.endswith("/instances") and status == 200:
        made = json.loads(answer)["instance"]["id"]
        things.removals.append((caller, f"/instances/{made}"))
        caller.wait(f"/instances/{made}", "instance", "ACTIVE")
    return judge(row, status, headers, answer, message)


def run(document, only=None):
    url = document["url"]
    callers = {name: Caller(url, **entry) for name, entry in document["callers"].items()}
    project = callers["member"].project
    callers["none"] = Caller(url, project, None)
    callers["invalid"] = Caller(url, project, "no-such-token")
    entry = document["store"]
    store = SQLiteStore(entry["sqlite"]) if "sqlite" in entry else MariaDBStore(entry["command"], entry["environment"])
    things = Things(callers, store, set(document["features"]), document.get("key_manager"))
    things.quota(instances=200, volumes=200, backups=200)
    rows = [row for row in load() if only is None or only in row.name]
    rows.sort(key=lambda row: "rate_exhausted" in row.needs)
    try:
        for row in rows:
            try:
                for word in row.needs:
                    things.need(word)
                # What the row names is made before it is sent.
                filled([row.path, row.query, row.body, row.message], things)
            except LookupError as error:
                yield row, "left out", str(error)
                continue
            try:
                # A limited rate recovers while one looks away.
                for _ in range(100 if "rate_exhausted" in row.needs else 1):
                    wrong = ask(row, things, callers)
                    if wrong is None:
                        break
            except LookupError as error:
                wrong = f"afterwards: {error}"
            yield row, "fail" if wrong else "pass", wrong
    finally:
        things.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="rows whose name has this text")
    parser.add_argument("--report", help="the page whose column for this shape is written")
    arguments = parser.parse_args()
    document = json.load(sys.stdin)
    outcomes = []
    for row, outcome, why in run(document, arguments.only):
        outcomes.append((row, outcome, why))
        print(json.dumps({"row": row.name, "outcome": outcome, **({"why": why} if why else {})}), flush=True)
    if arguments.report:
        report.write(arguments.report, document["shape"], outcomes)
    return 1 if any(outcome == "fail" for _, outcome, _ in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
