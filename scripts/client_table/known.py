# SPDX-License-Identifier: Apache-2.0
"""What is known not to work, and why: the only refusals and failures that a run of the table accepts.

Whatever is not listed here, for the calls that are named here, fails the run.
"""
import re

from table import FAIL, NOT_APPLICABLE, NOT_YET, NOTE, NotApplicable, NotSo, Unprepared


class Refusal:
    """An answer that some calls get: the status `code` and `message`, for the calls that match `calls`.

    `itself` is what it makes of a call that is answered so, `needed` of one whose preparation is: (outcome, remark), or None where
    it is a failure.
    """

    def __init__(self, calls, code, message, itself, needed=None):
        self.calls, self.code, self.message = re.compile(calls, re.IGNORECASE), code, message
        self.itself, self.needed = itself, needed
        self.met = False

    def judge(self, call, error):
        """(outcome, remark), or None where the error is not this refusal."""
        if not self.calls.search(call) or self.message not in str(error):
            return None
        if isinstance(error, Unprepared):
            found = self.needed if error.code == self.code else None
        elif isinstance(error, NotSo):
            found = None
        else:
            found = self.itself if re.search(rf"\b{self.code}\b", f"{getattr(error, 'code', '')} {error}") else None
        self.met = self.met or found is not None
        return found


NO_CLUSTERS = "no datastore of this release forms clusters"
NO_REPLICAS = "no datastore of this release replicates"
REPLICA_CALLS = r"replica|promote|eject|detach"

REFUSALS = [
    Refusal(
        r"cluster|shard", 501, "Clusters not supported for mariadb-10.11.",
        itself=(NOTE, f"Refused with 501, as the contract says: {NO_CLUSTERS} yet"),
        needed=(NOT_APPLICABLE, f"Needs a cluster; {NO_CLUSTERS}")),
    Refusal(
        REPLICA_CALLS, 400, "Replication is not supported for the 'mariadb' datastore.",
        itself=(NOTE, f"Refused with 400, as the contract says: {NO_REPLICAS} yet"),
        needed=(NOT_APPLICABLE, f"Needs a replica; {NO_REPLICAS}")),
    Refusal(
        r"create \(replica\)", 400, "Cannot specify flavor when creating replicas.",
        itself=(NOTE, "Refused with 400, as the contract says: this client cannot but send a flavor, which a replica must not have")),
    Refusal(
        r"public address", 501, "Public addresses ('access.is_public') are not supported.",
        itself=(NOT_APPLICABLE, "501: the hosts give their instances no public addresses")),
    Refusal(
        r"migrate", 501, "cannot be migrated",
        itself=(NOT_APPLICABLE, "501: local compute cannot move a volume to another host")),
]

# Failures inside clients, before or instead of a request: (calls, what the client raises, the table's remark).
BROKEN = [
    (r"^(update|detach-replica)$", "has no attribute 'edit'",
     "Fails inside the client: it calls Instances.edit, which its own library has no more"),
    (r"^log-disable$", "'AttributeError' object has no attribute 'message'",
     "Fails inside the client: it reads the option --discard, which this command does not have; nothing is sent"),
    (r"^Proxy\.(find|get)_(database|user)$", "The fetch method is not supported",
     "Fails inside the client, which has no request for one of them"),
]

# Why a call has nothing to ask here.
WORKFLOW = "Asks the workflow service (Mistral), not the Database Service"
PLACEHOLDER = "A placeholder in the client: it asks nobody"
AUTHENTICATE = "With a Keystone session there is nothing to do; without one it speaks Identity v2.0, which Keystone no longer has"
NO_ROUTE = "No release of the server has the route: 404, as everywhere"
NO_ACTION = "No release of the server since Liberty has the action: 400, as everywhere"
NO_COPY = "No release of the server copies backups: refused, as everywhere"
NOTHING_TO_ASK = [WORKFLOW, PLACEHOLDER, AUTHENTICATE, NO_ROUTE, NO_ACTION, NO_COPY]


def judge(call, error):
    """What a case comes to that ended with the error: (outcome, remark)."""
    if isinstance(error, NotApplicable) and str(error) in NOTHING_TO_ASK:
        return NOT_APPLICABLE, str(error)
    for refusal in REFUSALS:
        found = refusal.judge(call, error)
        if found:
            return found
    for calls, raised, remark in BROKEN:
        if re.search(calls, call) and raised in str(error) and not isinstance(error, NotSo):
            return NOT_APPLICABLE, remark
    return FAIL, str(error) if isinstance(error, NotSo) else f"{type(error).__name__}: {error}"


def unmet():
    """The messages of the refusals that no call met: a list that is longer than it need be hides what breaks later."""
    return [refusal.message for refusal in REFUSALS if not refusal.met]
