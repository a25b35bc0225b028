# SPDX-License-Identifier: Apache-2.0
"""What a client's call can come to."""

PASS, NOTE, NOT_APPLICABLE, NOT_YET, FAIL = OUTCOMES = "pass", "pass, with a note", "not applicable", "not yet", "fail"


class NotSo(Exception):
    """A call did not do what it should have done."""


class Unprepared(NotSo):
    """What prepares or checks a case was answered with the error `code`."""

    def __init__(self, code, what):
        super().__init__(what)
        self.code = code


class NotApplicable(Exception):
    """A call has nothing to ask here; the reason is one of those in `known`."""


def expect(condition, what):
    if not condition:
        raise NotSo("not so: " + what)
