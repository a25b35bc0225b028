# SPDX-License-Identifier: Apache-2.0
"""The page that the table is."""
from table import OUTCOMES


def cell(text):
    """One line of a table's cell."""
    text = " ".join(str(text).split()).replace("|", "\\|")
    return text if len(text) <= 300 else text[:297] + "…"


def counts(sheets):
    """Calls, cases, and the cases of each outcome."""
    numbers = [sum(len(sheet.calls) for sheet in sheets), sum(len(sheet.rows) for sheet in sheets)]
    numbers += [sum(sheet.count(outcome) for sheet in sheets) for outcome in OUTCOMES]
    return " | ".join(str(number) for number in numbers)


def page(sheets, shape):
    """The table as Markdown."""
    lines = [
        "# Clients",
        "",
        "Which call of which unmodified client works, written by `make clients`. Each row is a call that was made against a running control",
        "plane, and whose effect was then looked for behind the client's back: through REST, or with the engine's own client. The calls are",
        "read from the installed clients, so one that has no row here fails the run; some have several cases.",
        "",
        f"Shape: {shape}.",
        "",
        "| client | version | calls | cases | " + " | ".join(OUTCOMES) + " |",
        "| --- | --- |" + " ---: |" * (len(OUTCOMES) + 2),
    ]
    for sheet in sheets:
        lines.append(f"| {sheet.title.rstrip(',')} | {sheet.version} | {counts([sheet])} |")
    lines.append(f"| **all** | | {counts(sheets)} |")
    lines += [
        "",
        "*with a note*: it does what the contract says, and the note tells what the client does differently, what is accepted from it, or",
        "that the contract's answer is a refusal.",
        "*not applicable*: the call asks another service or a route that no server has, fails inside the client, or needs what this release",
        "does not have: clusters, replicas, public addresses.",
        "*not yet*: a part of the API that this release refuses, and a later one shall have.",
        "The last two and each refusal are on the list in `scripts/client_table/known.py`; whatever is not on it is *fail*, and fails",
        "the run.",
    ]
    for sheet in sheets:
        lines += ["", f"## {sheet.title} {sheet.version}", "", "| call | | remark |", "| --- | --- | --- |"]
        lines += [f"| `{row.call}` | {row.outcome} | {cell(row.remark)} |" for row in sorted(sheet.rows, key=lambda row: row.call)]
    return "\n".join(lines) + "\n"
