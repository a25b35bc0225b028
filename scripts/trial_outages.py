# SPDX-License-Identifier: Apache-2.0
"""Takes each node of a trial away and brings it back: what needs it is refused meanwhile, and soon goes on."""
import time

from plane import PlaneError
from trial_rest import Caller

# How long everything may take to go on once a node is back.
RESUMED_SECONDS = 5
# Calls in a row that must succeed: each may come to another worker, of either API process.
CALLS_IN_A_ROW = 12


class Outages:
    """MariaDB, RabbitMQ, Keystone and Barbican, one after the other, each ended as by kill -9."""

    def __init__(self, trial, story, client, container):
        self.trial, self.story, self.client, self.container = trial, story, client, container
        self.since = self.returned = 0
        self.caller = Caller(trial)
        self.instances = {row["name"]: row["id"] for row in self.caller.must("GET", "/instances").document["instances"]}

    def walk(self):
        self.database()
        self.broker()
        self.keystone()
        self.barbican()

    def database(self):
        first = self.instances["renamed"]
        self.restart(first)
        self.away("mariadb")
        slowest = max(self.caller.refused(*call).seconds for call in (
            ("GET", "/instances"), ("GET", f"/instances/{first}"), ("GET", f"/instances/{first}/databases"),
            ("POST", "/instances", {"instance": {"name": "third", "flavorRef": "1", "volume": {"size": 1},
                                                 "datastore": {"type": "mariadb", "version": "10.11"}}}),
            ("DELETE", f"/instances/{first}"), ("GET", "/backups")))
        # A process that starts now waits for its database, and says so to who asks.
        self.restart_process("api-1")
        self.caller.refused("GET", "/instances")
        seconds = self.back("mariadb", "/instances")
        self.active("renamed")
        self.told("MariaDB", slowest, seconds, f"a restart that it interrupted is done after {self.since_return():.1f} s")

    def broker(self):
        first, second = self.instances["renamed"], self.instances["second"]
        self.away("rabbitmq")
        # Nothing of this goes over the bus; the restart waits in the journal.
        self.caller.must("GET", "/instances")
        self.restart(second)
        slowest = self.caller.refused("GET", f"/instances/{first}/databases").seconds
        self.restart_process("conductor-2")
        seconds = self.back("rabbitmq", f"/instances/{first}/databases")
        self.active("second")
        self.told("RabbitMQ", slowest, seconds, f"a restart of its absence is done after {self.since_return():.1f} s")

    def keystone(self):
        fresh = Caller(self.trial)
        # One connection is one worker, and each remembers the tokens that it has seen.
        connection = self.caller.connection()
        self.caller.must("GET", "/instances", connection=connection)
        self.away("keystone")
        self.caller.must("GET", "/instances", connection=connection)
        slowest = fresh.refused("GET", "/instances").seconds
        deadline = time.monotonic() + 3 * self.trial.CACHE_SECONDS
        while self.caller.call("GET", "/instances", connection=connection).status == 200:
            if time.monotonic() > deadline:
                raise PlaneError("a token is trusted for longer than identity.cache_seconds")
            time.sleep(0.2)
        self.caller.refused("GET", "/instances", connection=connection)
        connection.close()
        self.caller = fresh
        seconds = self.back("keystone", "/instances")
        self.told("Keystone", slowest, seconds, "a remembered token went on until it was to be asked for again")

    def barbican(self):
        path, wish = f"/instances/{self.instances['renamed']}/ssl", {"enable": True, "mode": "basic", "container_ref": self.container}
        self.away("barbican")
        # What is served already needs no key manager.
        self.caller.must("GET", path)
        slowest = self.caller.refused("POST", path, {"ssl": wish}).seconds
        seconds = self.back("barbican", path)
        self.caller.must("POST", path, {"ssl": wish})
        self.told("Barbican", slowest, seconds, "certificates are taken again")

    # Steps of each.

    def away(self, node):
        self.trial.nodes.control("kill", node)
        self.since = time.monotonic()

    def back(self, node, path):
        """Starts it and returns how many seconds later `path` is answered, whoever is asked."""
        # Long enough that pauses between attempts have grown to their longest.
        time.sleep(max(0, self.since + 8 - time.monotonic()))
        self.trial.nodes.control("start", node)
        self.returned = began = failed = time.monotonic()
        succeeded, answer = 0, None
        while succeeded < CALLS_IN_A_ROW:
            answer = self.caller.call("GET", path)
            succeeded = succeeded + 1 if answer.status == 200 else 0
            if not succeeded:
                failed = time.monotonic()
                time.sleep(0.02)
            if failed - began > RESUMED_SECONDS:
                raise PlaneError(f"{node} is back for {failed - began:.1f} s, and GET {path} is answered with {answer}")
        return failed - began

    def since_return(self):
        return time.monotonic() - self.returned

    def restart(self, identifier):
        self.caller.must("POST", f"/instances/{identifier}/action", {"restart": {}})

    def restart_process(self, name):
        self.trial.kill(name)
        self.trial.revive(name)

    def active(self, name):
        self.client.wait(f"database instance show {name}", "status", "ACTIVE", {"ERROR", "FAILED"})
        self.caller.must("GET", f"/instances/{self.instances[name]}/databases")

    def told(self, node, slowest, seconds, more):
        self.story.tell(f"{node} was away for {self.returned - self.since:.0f} s: 503 with Retry-After after {slowest:.1f} s at "
                        f"most; calls succeeded {seconds:.1f} s after its return; {more}")
