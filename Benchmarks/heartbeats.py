#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Casts heartbeats to the conductor as that many guests would: one request of oslo.messaging each, over one connection.

Runs under the peers' Python, which has a broker's client. The password is read from standard input.
"""
import argparse
import json
import sys
import time
import uuid

import amqp


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="host:port of the broker")
    parser.add_argument("--vhost", default="trove")
    parser.add_argument("--exchange", default="trove")
    parser.add_argument("--guests", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0, help="a second; 0: as fast as possible")
    parser.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    password = sys.stdin.readline().rstrip("\n")
    connection = amqp.Connection(
        host=arguments.address, userid="trove", password=password, virtual_host=arguments.vhost)
    connection.connect()
    channel = connection.channel()
    exchange, topic = arguments.exchange, "trove-conductor"
    channel.exchange_declare(exchange, "topic", durable=False, auto_delete=False)
    channel.queue_declare(topic, durable=False, auto_delete=False)
    channel.queue_bind(topic, exchange, topic)
    began = time.time()
    for number in range(arguments.count):
        if arguments.rate and number % 50 == 0:
            ahead = number / arguments.rate - (time.time() - began)
            if ahead > 0:
                time.sleep(ahead)
        channel.basic_publish(message(number % arguments.guests, number), exchange, topic)
    seconds = time.time() - began
    channel.close()
    connection.close()
    print(json.dumps({"count": arguments.count, "seconds": seconds}))


def message(guest, number):
    request = {
        "method": "heartbeat", "version": "1.0", "_unique_id": f"{number:032x}", "_context_request_id": f"req-{uuid.UUID(int=number)}",
        "args": {
            "instance_id": identifier(guest), "sent": time.time(),
            # Most heartbeats say what the last one said.
            "payload": {"service_status": "healthy", "volume_used": 123456789 + number},
        },
    }
    return amqp.Message(
        json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(request)}), content_type="application/json",
        content_encoding="utf-8", priority=0, delivery_mode=2)


def identifier(guest):
    """The id of an instance: random to an index, the same every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"guest {guest}"))


if __name__ == "__main__":
    main()
