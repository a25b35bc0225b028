#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which suites of a run did not pass, from the event stream that it wrote: a pattern for `--filter` that chooses them.

    scripts/unpassed.py EVENTS LIMIT

A test that was running or still to run when the process ended has not passed. Suites are chosen whole, for tests of one may build
on one another. Prints nothing, and ends with 1, where none or more than LIMIT tests did not pass: then a repetition says nothing.
"""
import json
import re
import sys


def unpassed(lines):
    """The ids of the tests that were chosen and neither passed nor were skipped."""
    chosen, done = set(), set()
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue  # The last line of a process that was ended while it wrote.
        payload = record["payload"]
        if record["kind"] == "test":
            if payload["kind"] == "function":
                chosen.add(payload["id"])
            continue
        if payload["kind"] == "testSkipped":
            done.add(payload["testID"])
        elif payload["kind"] == "testEnded" and all(message["symbol"] != "fail" for message in payload["messages"]):
            done.add(payload["testID"])
    return chosen - done


def suite(test):
    """The id of the suite below the module; of an end-to-end test, of the suite below `EndToEnd`."""
    parts = test.split("/")
    return "/".join(parts[:2] if parts[0].endswith(".EndToEnd") else parts[:1])


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        tests = unpassed(file)
    if not 0 < len(tests) <= int(sys.argv[2]):
        return 1
    names = sorted({suite(test) for test in tests})
    print("^(" + "|".join(re.sub(r"([.()\[\]{}*+?^$|\\])", r"\\\1", name) for name in names) + ")/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
