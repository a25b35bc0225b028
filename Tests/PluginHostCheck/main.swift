// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import PluginHost
import PluginObjects

// `probe FILE`: a trial load. `runner`: serves the socket that is descriptor 3.
let arguments = CommandLine.arguments
LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }

switch arguments.dropFirst().first {
case "probe" where arguments.count == 3:
    exit(PluginProbe.run(file: arguments[2]))
case "runner":
    exit(PluginRunner.main(fd: 3, logger: Logger(label: "trove.plugin-runner"), objects: { PluginObjects(root: $0) }))
default:
    exit(64)
}
