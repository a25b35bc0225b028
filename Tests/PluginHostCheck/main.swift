// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import PluginHost

// `probe FILE`: a trial load. `runner`: serves the socket that is descriptor 3.
let arguments = CommandLine.arguments
LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }

switch arguments.dropFirst().first {
case "probe" where arguments.count == 3:
    exit(PluginProbe.run(file: arguments[2]))
case "runner":
    exit(PluginRunner.main(fd: 3, logger: Logger(label: "trove.plugin-runner")))
default:
    exit(64)
}
