# SPDX-License-Identifier: Apache-2.0
"""The table of rows in docs/: a line a row, a column a shape, written by the runs."""
import os

SHAPES = ("embedded", "production")
HEAD = """# The REST contract, row by row

What is sent and what must be answered; `Tests/Contract/rows.yaml` has the bodies and messages. The columns are what the test
`ContractTests` saw on each shape: `pass`, or why the row could not be brought about there. A run whose outcome differs from this
page fails.

| § | Request | By | Case | Answer | Embedded | Production |
| --- | --- | --- | --- | --- | --- | --- |
"""


def cells(row):
    answer = f"{row.status} {row.fault}" if row.fault else str(row.status)
    request = f"`{row.method} {row.path}{'?' + row.query if row.query else ''}`"
    return [row.section, request.replace("|", "\\|"), row.role, row.case.replace("|", "\\|"), answer]


def said(outcome, why):
    return outcome if outcome != "left out" else f"left out: {why}".replace("|", "\\|")


def read(path):
    """Outcomes on record by shape and row: {shape: {key: text}}."""
    known = {shape: {} for shape in SHAPES}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                parts = [part.strip() for part in line.strip().strip("|").split(" | ")]
                if line.startswith("| ") and len(parts) == 7:
                    for shape, text in zip(SHAPES, parts[5:]):
                        known[shape][tuple(parts[:5])] = text
    return known


def write(path, shape, outcomes):
    known = read(path)
    known[shape] = {tuple(cells(row)): said(outcome, why) for row, outcome, why in outcomes}
    outcomes = sorted(outcomes, key=lambda entry: [int(part) for part in entry[0].section.split(".")])
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for row, _, _ in outcomes:
            texts = [known[column].get(tuple(cells(row)), "") for column in SHAPES]
            file.write("| " + " | ".join(cells(row) + texts) + " |\n")
