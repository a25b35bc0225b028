# SPDX-License-Identifier: Apache-2.0
"""One end of the RPC benchmark in oslo.messaging: serve, or call with some callers; as rpc-bench, whose output it has."""
import json
import os
import sys
import threading
import time
import urllib.parse
import warnings

warnings.filterwarnings("ignore")

import oslo_messaging  # noqa: E402
from oslo_config import cfg  # noqa: E402

PAYLOAD = {"service_status": "healthy", "pad": "x" * 100}


class Endpoint:
    def echo(self, context, x):
        return x


def transport(address, user, vhost, exchange):
    password = sys.stdin.readline().strip()
    cfg.CONF([], project="pair", default_config_files=[])
    oslo_messaging.set_transport_defaults(exchange)
    url = f"rabbit://{user}:{urllib.parse.quote(password, safe='')}@{address}/{vhost}"
    return oslo_messaging.get_rpc_transport(cfg.CONF, url=url)


def serve(carrier, topic):
    target = oslo_messaging.Target(topic=topic, server="pair")
    server = oslo_messaging.get_rpc_server(carrier, target, [Endpoint()], executor="threading",
                                           access_policy=oslo_messaging.DefaultRPCAccessPolicy)
    server.start()
    print("ready", flush=True)
    sys.stdin.read()


def call(carrier, topic, callers, seconds):
    client = oslo_messaging.get_rpc_client(carrier, oslo_messaging.Target(topic=topic))
    for _ in range(50):
        client.call({}, "echo", x=PAYLOAD)
    print("ready", flush=True)
    if not sys.stdin.readline():
        return
    times = []
    begin = time.monotonic()

    def one():
        while time.monotonic() < begin + seconds:
            started = time.perf_counter()
            client.call({}, "echo", x=PAYLOAD)
            times.append(time.perf_counter() - started)

    threads = [threading.Thread(target=one) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    times.sort()
    print(json.dumps({"calls": len(times), "seconds": took, "p50_us": int(times[len(times) // 2] * 1e6),
                      "p99_us": int(times[len(times) * 99 // 100] * 1e6)}), flush=True)
    sys.stdin.read()


def main():
    address, user, vhost, exchange, topic, role, *rest = sys.argv[1:]
    carrier = transport(address, user, vhost, exchange)
    if role == "serve":
        serve(carrier, topic)
    else:
        call(carrier, topic, int(rest[0]), float(rest[1]))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Its listeners are not waited for.
    os._exit(0)
