# SPDX-License-Identifier: Apache-2.0
"""What one client made so far, which its later calls use."""
import json
import re

from table import NotSo, expect


class Scene:
    """`prefix` begins the names of whatever this client makes; `main` is the instance that it made, as its `create` case."""

    def __init__(self, world, prefix):
        self.world, self.prefix = world, prefix
        self.made = {}

    def name(self, what):
        return f"{self.prefix}-{what}"

    @property
    def main(self):
        """The instance of the client's own create; one made otherwise when that did not work."""
        return self.thing("main", lambda: self.world.make(
            self.name("main"), databases=[{"name": "shop"}],
            users=[{"name": "clerk", "password": "s3cret-Clerk", "databases": [{"name": "shop"}]}]))

    def thing(self, name, make):
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def forget(self, name):
        self.made.pop(name, None)

    def root(self, statement, database=""):
        return self.world.root(self.main, statement, database)

    @property
    def configuration(self):
        return self.thing("configuration", lambda: self.world.configuration(self.name("group"), {"max_connections": 120}))

    @property
    def backup(self):
        return self.thing("backup", lambda: self.world.backup(self.name("backup"), self.main))

    def replica(self):
        """A replica of the main instance."""
        return self.thing("replica", lambda: self.world.make(self.name("replica"), replica_of=self.main))


def mentions(output, *words):
    """What the client returned or printed has each of the words."""
    text = output if isinstance(output, str) else json.dumps(output)
    for word in words:
        expect(str(word) in text, f"the client shows {word!r}; it shows {text[:300]}")


def omits(output, *words):
    text = output if isinstance(output, str) else json.dumps(output)
    for word in words:
        expect(str(word) not in text, f"the client no longer shows {word!r}; it shows {text[:300]}")


def secrets(output):
    """Words of an output that may be a password."""
    text = output if isinstance(output, str) else json.dumps(output)
    return {word for word in re.findall(r"[^\s|'\",:{}()\[\]+]{8,}", text) if not set(word) <= {"-"}}


def fails_inside(s, do):
    """A call that fails inside the client, as `known` has it."""
    do(id=s.main, name=s.name("main"))
    raise NotSo("the call, which failed inside the client, works: it needs a case of its own")


def refused(do, what, *codes):
    """The call is refused; an answer with one of the codes is meant, where the client tells it."""
    try:
        do()
    except Exception as error:  # noqa: BLE001: clients differ in what they raise
        text = f"{getattr(error, 'code', '')} {error}"
        if not codes or any(re.search(rf"\b{code}\b", text) for code in codes):
            return text
        raise
    raise NotSo(f"{what} is refused")
