#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of 20 out of 1,000 instances as XML, against the same page as JSON."""
import statistics
import urllib.request
import xml.etree.ElementTree

from listing import ROUNDS, fill, wrk
from plane import PlaneError

NAMESPACE = "{http://docs.openstack.org/database/api/v1.0}"


def fetch(url, token, accept):
    request = urllib.request.Request(url, headers={"X-Auth-Token": token, "Accept": accept})
    with urllib.request.urlopen(request) as response:
        kind, body = response.headers["Content-Type"], response.read()
    if kind != accept:
        raise PlaneError(f"{accept} was asked for and {kind} answered")
    return body


def measure_xml(plane):
    client, connection = fill(plane)
    url = client.base + "/instances?limit=20"
    document = fetch(url, client.token, "application/xml")
    found = [each.get("id") for each in xml.etree.ElementTree.fromstring(document).findall(NAMESPACE + "instance")]
    wanted = [each["id"] for each in connection.call("GET", "/instances?limit=20")["instances"]]
    if len(wanted) != 20 or found != wanted:
        raise PlaneError("the page as XML has not the instances of the page as JSON")
    rates = {"application/xml": [], "application/json": []}
    for _ in range(ROUNDS):
        for accept, rate in rates.items():
            rate.append(wrk(url, client.token, accept=accept))
    return {
        "xml": statistics.median(rates["application/xml"]), "json": statistics.median(rates["application/json"]),
        "bytes": len(document), "json_bytes": len(fetch(url, client.token, "application/json")), "rounds": ROUNDS,
    }
