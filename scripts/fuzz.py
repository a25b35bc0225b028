#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives the API with what schemathesis makes of its own OpenAPI document, against a control plane with a real database.

Every operation gets examples that fit the document and examples that do not, and chains of operations that hand ids on. What is
answered must be what the document says, and never a failure of the server. Ends with an empty audit, and leaves nothing behind.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

from plane import ROOT, Client, ControlPlane, PlaneError

# What the API's contract answers otherwise than the fuzzer expects, each with the reason.
SETTINGS = """
continue-on-failure = true
warnings = false

[headers]
X-Auth-Token = "${TROVE_FUZZ_TOKEN}"
# Events are followed without end unless a document is asked for.
Accept = "application/json"

[generation]
database = "none"

[checks]
# Another verb on a known path is 404: the contract has no 405.
unsupported_method.enabled = false
# What fits the schema may still name a flavor or an instance that there is not, or pass a quota.
positive_data_acceptance.enabled = false
# 501 is the contract's word for what an engine or a service lacks.
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501"]
# Members that mean nothing are allowed in most bodies, and parameters that mean nothing in every query.
negative_data_rejection.enabled = false
"""

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def fuzz(config, examples, seed, report):
    """Runs the fuzzer once; the summary as a dictionary."""
    plane = ControlPlane(config, "fuzz")
    try:
        client = Client(plane)
        body = {"instance": {"name": "fuzz", "flavorRef": "1", "volume": {"size": 1}, "datastore": {"type": "mariadb"}}}
        instance = client.call("POST", "/instances", body)["instance"]["id"]
        client.wait(f"/instances/{instance}", "instance", "ACTIVE", {"ERROR", "FAILED", "GONE"}, 600)
        summaries = {}
        for name, who in (("a user", client), ("an administrator", Client(plane, plane.administrator()))):
            began = time.monotonic()
            code, output, summary = drive(plane, who, examples, seed)
            summary["seconds"] = round(time.monotonic() - began)
            tell(name, summary)
            if code != 0:
                raise PlaneError(f"the fuzzer found something as {name}:\n{output}")
            summaries[name] = summary
        for who in (client, Client(plane, plane.administrator())):
            clean(who)
        plane.audit()
        plane.stop()
        if report:
            write(report, summaries, examples, seed)
    finally:
        plane.purge()


def drive(plane, client, examples, seed):
    with tempfile.TemporaryDirectory() as folder:
        settings = os.path.join(folder, "schemathesis.toml")
        with open(settings, "w") as file:
            file.write(SETTINGS)
        document = os.path.join(folder, "openapi.json")
        with open(document, "w") as file:
            json.dump(described(plane, client), file)
        result = subprocess.run(
            [os.path.join(ROOT, ".build/fuzzer/bin/schemathesis"), "--config-file", settings, "run",
             document, "--url", client.base, "--max-examples", str(examples), "--seed", str(seed),
             "--report", "ndjson", "--report-ndjson-path", os.path.join(folder, "events"), "--no-color"],
            env=dict(os.environ, TROVE_FUZZ_TOKEN=client.token), cwd=folder, capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr, summarize(os.path.join(folder, "events"))


def described(plane, client):
    """The API's document, without what would make most requests answers to an earlier one."""
    _, document = client.send("GET", plane.url + "/v1.0/openapi.json")
    for verbs in document["paths"].values():
        for operation in verbs.values():
            operation["parameters"] = [item for item in operation["parameters"] if item["name"] != "Idempotency-Key"]
    return document


def summarize(path):
    """What was asked and answered: counts by operation and status."""
    counts = collections.defaultdict(collections.Counter)
    with open(path) as file:
        for line in file:
            for name, event in json.loads(line).items():
                if name != "ScenarioFinished":
                    continue
                recorder = event["recorder"]
                for case_id, interaction in recorder.get("interactions", {}).items():
                    case = recorder["cases"].get(case_id, {}).get("value", {})
                    response = interaction.get("response") or {}
                    operation = recorder["label"] if not case else f"{case['method'].upper()} {case['path']}"
                    counts[operation][response.get("status_code", "none")] += 1
    return {"operations": {name: dict(by) for name, by in sorted(counts.items())}}


def clean(client):
    """Removes every instance and backup that was made on the way."""
    for path, noun in (("/backups?limit=1000", "backups"), ("/instances", "instances")):
        deadline = time.monotonic() + 600
        while True:
            left = client.call("GET", path)[noun]
            if not left:
                break
            if time.monotonic() > deadline:
                raise PlaneError(f"{len(left)} {noun} are not gone after ten minutes")
            for item in left:
                try:
                    client.call("DELETE", f"/{noun}/{item['id']}")
                except PlaneError:
                    pass  # Still in use: asked again below.
            time.sleep(1)


def totals(summary):
    total = collections.Counter()
    for by in summary["operations"].values():
        total.update(by)
    return total


def tell(name, summary):
    total = totals(summary)
    words = ", ".join(f"{count} × {status}" for status, count in sorted(total.items(), key=str))
    print(f"as {name}, {sum(total.values())} requests in {summary['seconds']} s: {words}", flush=True)


def write(path, summaries, examples, seed):
    lines = [
        "# Fuzzing report", "",
        f"Written by `make fuzz`: schemathesis, up to {examples} examples an operation and phase, seed {seed}. Nothing was found.",
    ]
    for who, summary in summaries.items():
        lines += ["", f"## As {who}", "",
                  f"{sum(totals(summary).values())} requests in {summary['seconds']} s.", "",
                  "| operation | requests | answers |", "| --- | --- | --- |"]
        known = [name for name in summary["operations"] if name.split()[0] in VERBS]
        others = collections.Counter()
        for name, by in summary["operations"].items():
            if name not in known:
                others.update(by)
        for name, by in [(name, summary["operations"][name]) for name in known] + [("verbs that no route has", others)]:
            answers = ", ".join(f"{count} × {status}" for status, count in sorted(by.items(), key=str))
            lines.append(f"| `{name}` | {sum(by.values())} | {answers} |")
    with open(os.path.join(ROOT, path), "w") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="debug", choices=["debug", "release"])
    parser.add_argument("--examples", type=int, default=15, help="at most so many an operation and phase (15)")
    parser.add_argument("--seed", type=int, default=1, help="of the examples (1)")
    parser.add_argument("--report", help="a Markdown file to write, below the checkout")
    options = parser.parse_args()
    try:
        fuzz(options.config, options.examples, options.seed, options.report)
    except PlaneError as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
