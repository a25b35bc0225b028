# SPDX-License-Identifier: Apache-2.0
"""Rows of the REST contract and how one answer is held against one. The file says what its members mean."""
import dataclasses
import json
import os
import re

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Tests", "Contract", "rows.yaml")
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclasses.dataclass
class Row:
    section: str
    method: str
    path: str
    case: str
    status: int
    role: str = "member"
    query: str = ""
    headers: dict = dataclasses.field(default_factory=dict)
    body: object = None
    text: str = None
    needs: list = dataclasses.field(default_factory=list)
    fault: str = None
    message: str = None
    answer: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return f"{self.method} {self.path} ({self.role}): {self.case}"

    @property
    def subject(self):
        """The placeholder that the path ends in: what a DELETE takes away."""
        match = re.search(r"\{([a-z_]+)\}$", self.path)
        return match.group(1) if match else None


def load(path=FILE):
    """All rows in the file's order. Raises ValueError for a row that is none, or one that is there twice."""
    rows, seen = [], set()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.startswith("- "):
                continue
            try:
                row = Row(**json.loads(line[2:]))
            except (TypeError, json.JSONDecodeError) as error:
                raise ValueError(f"{path}:{number}: {error}") from error
            if row.name in seen:
                raise ValueError(f"{path}:{number}: '{row.name}' is there twice")
            seen.add(row.name)
            rows.append(row)
    return rows


def filled(value, things):
    """`value` with every placeholder replaced; a text that is one placeholder alone keeps its type."""
    if isinstance(value, str):
        whole = PLACEHOLDER.fullmatch(value)
        if whole:
            return things[whole.group(1)]
        return PLACEHOLDER.sub(lambda match: str(things[match.group(1)]), value)
    if isinstance(value, list):
        return [filled(item, things) for item in value]
    if isinstance(value, dict):
        return {filled(key, things): filled(item, things) for key, item in value.items()}
    return value


def judge(row, status, headers, body, message):
    """None when the answer is the row's, else what is wrong with it.

    `message` is the row's own with its placeholders replaced; `body` the bytes.
    """
    text = body.decode(errors="replace")
    said = f"answered {status} {text[:300]}"
    if status != row.status:
        return f"{row.status} was to come; {said}"
    below = not row.path.startswith(("{root}", "/v2.0/"))
    if below and row.fault != "notAcceptable" and "x-openstack-request-id" not in headers:
        return f"there is no request id; {said}"
    if status in (202, 204) and not row.answer and body:
        return f"an empty body was to come; {said}"
    document = None
    if row.fault or row.answer:
        try:
            document = json.loads(text)
        except json.JSONDecodeError:
            return f"no JSON; {said}"
    if row.fault:
        fault = document.get(row.fault)
        if not isinstance(fault, dict) or fault.get("code") != row.status or list(document) != [row.fault]:
            return f"a fault '{row.fault}' was to come; {said}"
        pattern = ".*".join(re.escape(part) for part in (message or "*").split("*"))
        if not re.fullmatch(pattern, fault.get("message", ""), re.DOTALL):
            return f"the message '{message}' was to come; {said}"
    missing = [member for member in row.answer if member not in document]
    return f"members {missing} are missing; {said}" if missing else None
