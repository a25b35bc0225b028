#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What calls into plugins cost: builds the benchmark's plugins with the SDK and runs plugin-bench on them."""
import json
import os
import subprocess

from plane import ROOT, PlaneError


def plugins(config):
    """The directory of the benchmark's plugins, built if need be."""
    built = os.path.join(ROOT, ".build", config)
    results = os.path.join(ROOT, ".build", "bench", "plugins")
    for language in ("C", "Rust", "Swift"):
        name = f"async{language.lower()}"
        done = subprocess.run(
            ["make", "-s", "-C", os.path.join(ROOT, "Benchmarks", "Plugins", f"Async{language}"),
             f"SDK={built}/sdk", f"OUT={results}/{name}", f"SCRATCH={ROOT}/.build/bench/scratch/{name}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, umask=0o022,
        )
        if done.returncode != 0:
            raise PlaneError(f"the plugin {name} could not be built:\n{done.stdout}")
    return results


def measure_calls(config, runs=10):
    """Nanoseconds of calls, milliseconds of a load, and the concurrent operations; the load is the least of `runs`."""
    directory = plugins(config)
    program = os.path.join(ROOT, ".build", config, "plugin-bench")
    result = _run([program, directory])
    loads = [_run([program, directory, "--only-operations", "--operations", "3"]) for _ in range(runs)]
    for name in ("load_ms", "load_first_ms"):
        result[name] = min(load[name] for load in loads)
    return result


def _run(argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise PlaneError(f"{os.path.basename(argv[0])} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)
