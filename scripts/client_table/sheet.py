# SPDX-License-Identifier: Apache-2.0
"""The cases of one client, as they are run."""
import time

import known
from table import FAIL, NOTE, PASS


class Row:
    def __init__(self, call, outcome, remark, seconds):
        self.call, self.outcome, self.remark, self.seconds = call, outcome, remark, seconds


class Sheet:
    """The rows of one client.

    `calls` are those that the installed client has, read from the client itself. A case is named as its call is, or as
    "call (variant)"; a call without a case is a failure, and so is a case of a call that the client does not have.
    """

    def __init__(self, title, version, calls, tell=lambda row: None):
        self.title, self.version, self.calls = title, version, list(calls)
        self.rows, self.tell = [], tell

    def run(self, call, do):
        """Runs a case: None or a note for the table is a pass."""
        began = time.monotonic()
        try:
            note = do()
            outcome, remark = (NOTE, note) if note else (PASS, "")
        except Exception as error:  # noqa: BLE001: whatever a client raises is known, or a failure
            outcome, remark = known.judge(call, error)
        self.add(Row(call, outcome, remark, time.monotonic() - began))

    def add(self, row):
        self.rows.append(row)
        self.tell(row)

    def close(self):
        """Adds what is missing."""
        done = {row.call.partition(" (")[0] for row in self.rows}
        for call in sorted(set(self.calls) - done):
            self.add(Row(call, FAIL, "this client's call has no case", 0))
        for call in sorted(done - set(self.calls)):
            self.add(Row(call, FAIL, "this case's call is not among the client's", 0))

    def count(self, outcome):
        return sum(row.outcome == outcome for row in self.rows)
