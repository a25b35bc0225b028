# SPDX-License-Identifier: Apache-2.0
"""Walks the client's list through a trial, kills one process of each role on the way, and looks for anything lost."""
import os
import re
import signal
import ssl
import time
import urllib.request

from client_session import ClientSession
from plane import PlaneError, sql
from trial_certificates import Certificates
from trial_outages import Outages
from trial_processes import TRAP


def expect(condition, what):
    if not condition:
        raise PlaneError("not so: " + what)


class Check:
    """The list of `openstack database` commands, in the order in which a tenant comes to them."""

    def __init__(self, trial, story):
        self.trial, self.story = trial, story
        # On a machine that has much else to do Keystone may be too slow for the API, which says so.
        self.client = ClientSession(trial.space["openrc"], patience=60)

    def walk(self):
        try:
            self.catalogue()
            self.instance()
            self.databases()
            self.users()
            self.root()
            backup = self.backup()
            self.restore(backup)
            self.agent()
            container = self.certificates()
            self.refusals()
            Outages(self.trial, self.story, self.client, container).walk()
            self.end(backup)
        finally:
            self.client.close()

    # Kills.

    def kill(self, name):
        """All of a role's process, parent and workers; the other one of the role takes over meanwhile."""
        self.trial.kill(name)
        self.connects(name)
        self.story.tell(f"{name} is killed; a new connection is answered at once")

    def connects(self, what):
        """A new connection to the API is answered at once."""
        began = time.monotonic()
        context = ssl.create_default_context(cafile=self.trial.nodes.document["ca_file"])
        with urllib.request.urlopen(self.trial.url + "/", timeout=10, context=context) as response:
            expect(response.status == 200, f"the API answers after {what} was killed")
        expect(time.monotonic() - began < 3, f"a new connection is answered at once after {what} was killed")

    def revive(self, name):
        self.trial.revive(name)

    # The list.

    def catalogue(self):
        expect("mariadb" in self.client.names("datastore list"), "mariadb is offered")
        expect(self.client.ask("datastore version list mariadb"), "it has a version")
        expect(len(self.client.ask("database flavor list")) == 5, "there are five flavors")
        expect(self.client.ask("database limit list"), "limits are told")
        self.story.tell("datastores, flavors and limits are listed with a real token")

    def instance(self):
        self.client.run("database instance create first --flavor 1 --size 1 --datastore mariadb --datastore-version 10.11 "
                        "--databases shop --users clerk:s3cret-Clerk")
        # The create is in the middle of its flow.
        self.kill("taskmanager-1")
        self.active("first")
        self.story.tell("the instance is ACTIVE: the other task manager went on")
        self.revive("taskmanager-1")
        self.client.run("database instance restart first")
        self.active("first")
        self.client.run("database instance update first --name renamed")
        expect(self.client.names("database instance list") == ["renamed"], "the instance has its new name")
        self.story.tell("restarted and renamed")

    def active(self, name):
        return self.client.wait(f"database instance show {name}", "status", "ACTIVE", {"ERROR", "FAILED"})

    def address(self, name):
        shown = self.client.ask(f"database instance show {name}")
        return re.search(r"127\.\d+\.\d+\.\d+", str(shown)).group()

    def databases(self):
        worker = self.trial.worker("api-1")
        os.kill(worker, signal.SIGKILL)
        self.connects("an API worker")
        self.client.run("database db create renamed spare")
        expect(self.client.names("database db list renamed") == ["shop", "spare"], "both databases are there")
        self.client.run("database db delete renamed spare")
        expect(self.client.names("database db list renamed") == ["shop"], "one database is left")
        self.story.tell("databases made and dropped, while one API worker was killed")

    def users(self):
        self.client.run("database user create renamed guest.one s3cret-Guest --host 127.0.0.1")
        expect(self.client.names("database user list renamed") == ["clerk", "guest.one"], "both users are there")
        self.client.run("database user grant access renamed guest.one shop --host 127.0.0.1")
        access = self.client.ask("database user show access renamed guest.one --host 127.0.0.1")
        expect("shop" in str(access), "the user may use the database")
        self.client.run("database user revoke access renamed guest.one shop --host 127.0.0.1")
        self.client.run("database user delete renamed guest.one --host 127.0.0.1")
        sql(self.address("renamed"), "clerk", "s3cret-Clerk", "shop",
            "CREATE TABLE t (n INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")
        self.story.tell("users made, granted, revoked and removed; 'clerk' logged in and wrote three rows")

    def root(self):
        expect("false" in str(self.client.ask("database root show renamed")).lower(), "root is not enabled")
        password = self.client.ask("database root enable renamed")["password"]
        expect(sql(self.address("renamed"), "root", password, "mysql", "SELECT 1") == "1", "root logs in")
        expect("true" in str(self.client.ask("database root show renamed")).lower(), "root is enabled")
        self.story.tell("root is enabled and logs in")

    def backup(self):
        identifier = self.client.ask("database backup create evening --instance renamed")["id"]
        # The guest's report of the backup comes to the other conductor.
        self.kill("conductor-1")
        self.client.wait(f"database backup show {identifier}", "status", "COMPLETED", {"FAILED"})
        self.revive("conductor-1")
        expect(len(self.client.ask("database backup list")) == 1, "one backup is listed")
        self.story.tell("backup COMPLETED: the other conductor was told")
        return identifier

    def restore(self, backup):
        self.client.run("database instance create second --flavor 1 --size 1 --datastore mariadb --datastore-version 10.11 "
                        f"--backup {backup}")
        workers = self.trial.kill_parent("api-2")
        self.connects("api-2's parent")
        self.trial.wait_ended(workers, "the workers of api-2, whose parent was killed,")
        self.story.tell("api-2's parent is killed, and its workers end; a new connection is answered at once")
        self.active("second")
        count = sql(self.address("second"), "clerk", "s3cret-Clerk", "shop", "SELECT COUNT(*) FROM t")
        expect(count == "3", "the restored instance has the three rows")
        self.revive("api-2")
        self.story.tell("restored into a second instance: three rows")

    def agent(self):
        """An agent is killed: its database goes on, and another agent answers for it."""
        identifier = self.client.ask("database instance show renamed")["id"]
        before = agents(identifier, self.trial.home)
        expect(len(before) == 1, "the instance has one agent")
        os.kill(before[0], signal.SIGKILL)
        expect(sql(self.address("renamed"), "clerk", "s3cret-Clerk", "shop", "SELECT COUNT(*) FROM t") == "3", "rows are served")
        deadline = time.monotonic() + 60
        while agents(identifier, self.trial.home) in ([], before):
            expect(time.monotonic() < deadline, "another agent is there within a minute")
            time.sleep(0.1)
        while True:
            try:
                expect(self.client.names("database db list renamed") == ["shop"], "the new agent answers")
                break
            except PlaneError as error:
                if time.monotonic() > deadline:
                    raise error
                time.sleep(0.2)
        self.story.tell("an agent is killed: the database went on, another agent answers")

    def certificates(self):
        container, cipher = Certificates(self.trial, self.client, "renamed").walk()
        self.story.tell(f"the engine serves {cipher} with a certificate that the tenant keeps in Barbican")
        return container

    def refusals(self):
        """Whatever was killed, nothing but a slow Keystone has made the API refuse a call."""
        refusals = [line for line in self.trial.lines(r"http\.status=503") if "Tokens cannot be checked now" not in line]
        expect(not refusals, "no call was refused so far: " + "; ".join(refusals))
        if self.client.asked_again:
            self.story.tell(f"{self.client.asked_again} calls were asked again: Keystone did not answer in time")

    def end(self, backup):
        self.client.run(f"database backup delete {backup}")
        for name in ("renamed", "second"):
            self.client.run(f"database instance delete {name}")
        self.client.wait_empty("database instance list")
        self.client.wait_empty("database backup list")
        audit = self.trial.run("audit")
        expect(audit.returncode == 0, "the audit finds nothing: " + audit.stdout + audit.stderr)
        crashes = self.trial.lines(TRAP)
        expect(not crashes, "no process trapped: " + "; ".join(crashes))
        self.story.tell("everything deleted; the audit finds nothing")


def agents(identifier, home):
    """Process ids of the agents of an instance."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].endswith("/trove-guest") and any(word.startswith(home) and identifier in word for word in words):
            found.append(int(name))
    return sorted(found)
