# SPDX-License-Identifier: Apache-2.0
"""The state database of a control plane under test, for states that no client can bring about at will."""
import os
import sqlite3
import subprocess
import uuid


def literal(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


class SQLiteStore:
    def __init__(self, path):
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)

    def run(self, statement):
        """Rows of a statement, each a tuple. Raises LookupError for one that the database refuses."""
        try:
            return self.connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise LookupError(f"the state database refused: {error}") from error

    def columns(self, table):
        return [row[1] for row in self.run(f"PRAGMA table_info({table})") if (table, row[1]) != ("service_statuses", "id")]


class MariaDBStore:
    """Through the server's own client; the password is in `environment`."""

    def __init__(self, command, environment):
        self.command = command
        self.environment = dict(os.environ, **environment)

    def run(self, statement):
        result = subprocess.run(
            self.command + ["-e", statement], env=self.environment, capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            raise LookupError("the state database refused: " + result.stderr.strip().splitlines()[-1])
        return [tuple(line.split("\t")) for line in result.stdout.splitlines()]

    def columns(self, table):
        made = ("auto_increment", "VIRTUAL GENERATED", "STORED GENERATED")
        return [row[0] for row in self.run(f"SHOW COLUMNS FROM {table}") if not row[-1].startswith(made)]


def copy(store, table, key, value, changes):
    """Another row like the one whose `key` is `value`, except for `changes`."""
    columns = store.columns(table)
    unknown = set(changes) - set(columns)
    if unknown:
        raise LookupError(f"the table {table} has no {', '.join(sorted(unknown))}")
    picked = [literal(changes[name]) if name in changes else f"`{name}`" for name in columns]
    names = ", ".join(f"`{name}`" for name in columns)
    store.run(f"INSERT INTO {table} ({names}) SELECT {', '.join(picked)} FROM {table} "
              f"WHERE {key} = {literal(value)}")


def ghost_instance(store, model, **changes):
    """An instance that only the database knows: like `model`, with the changes. Returns its id."""
    ghost = str(uuid.uuid4())
    copy(store, "instances", "id", model, {"id": ghost, "name": "ghost", **changes})
    copy(store, "service_statuses", "instance_id", model, {"instance_id": ghost})
    return ghost


def forget_instance(store, ghost):
    for table, key in (("instance_faults", "instance_id"), ("service_statuses", "instance_id"), ("instances", "id")):
        store.run(f"DELETE FROM {table} WHERE {key} = {literal(ghost)}")
