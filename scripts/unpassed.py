#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which tests of a run did not pass, from the event stream that it wrote: a pattern for `--filter` that chooses just them.

    scripts/unpassed.py EVENTS LIMIT

A test that was running or still to run when the process ended has not passed. Prints nothing, and ends with 1, where there are
none or more than LIMIT: then a repetition says nothing.
"""
import json
import re
import sys


def unpassed(lines):
    """The ids of the tests that were chosen and neither passed nor were skipped, without the place in the source."""
    chosen, done = {}, set()
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue  # The last line of a process that was ended while it wrote.
        payload = record["payload"]
        if record["kind"] == "test":
            if payload["kind"] == "function":
                chosen[payload["id"]] = payload["id"].rsplit("/", 1)[0]
            continue
        if payload["kind"] == "testSkipped":
            done.add(payload["testID"])
        elif payload["kind"] == "testEnded" and all(message["symbol"] != "fail" for message in payload["messages"]):
            done.add(payload["testID"])
    return sorted(name for identity, name in chosen.items() if identity not in done)


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        names = unpassed(file)
    if not 0 < len(names) <= int(sys.argv[2]):
        return 1
    print("^(" + "|".join(re.sub(r"([.()\[\]{}*+?^$|\\])", r"\\\1", name) for name in names) + ")/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
