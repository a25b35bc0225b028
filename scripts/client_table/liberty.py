# SPDX-License-Identifier: Apache-2.0
"""python-troveclient as it was at the Liberty release (2015), library and shell, in an environment of its own."""
import legacy_shell
import troveclient_library
from library_cases import OLD_ARGUMENTS, OLD_EMPTY


def run(world, venv, tell):
    return [
        troveclient_library.run(world, venv, tell, "oldlib", "python-troveclient of Liberty, the library", OLD_EMPTY, OLD_ARGUMENTS),
        legacy_shell.run(world, venv, tell, "oldshell", "The `trove` shell of Liberty's python-troveclient"),
    ]
