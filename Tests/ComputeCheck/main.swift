// SPDX-License-Identifier: Apache-2.0

import Compute
import Glibc
import Logging
import Model

// One process of several on a home: `compute-check SETTINGS COMMAND …`, SETTINGS a JSON document. It says `ready` when it has
// opened the home, and what came of the command when that is done.

let arguments = CommandLine.arguments
guard arguments.count >= 3, let settings = try? JSONValue(parsing: Array(arguments[1].utf8)),
    let home = settings["home"]?.stringValue, let agent = settings["agent"]?.stringValue,
    let run = settings["run"]?.stringValue, let range = settings["addresses"]?.stringValue,
    let isPrivileged = settings["privileged"]?.boolValue, let overcommit = settings["overcommit"]?.doubleValue,
    let spares = settings["spares"]?.intValue
else { exit(64) }

LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
var configuration = LocalComputeConfiguration(home: home, guestExecutable: agent, logger: Logger(label: "check"))
configuration.runDirectory = run
configuration.addressRange = range
configuration.isPrivileged = isPrivileged
configuration.spareImages = spares
configuration.reserveGiB = 0
configuration.overcommit = overcommit
configuration.agentStopTimeout = .seconds(2)

func say(_ line: String) {
    print(line)
    fflush(nil)
}

let guest = settings["guest"] ?? [:]
let flavor = Flavor(id: "1", name: "small", ramMiB: 256, vcpus: 1)
do {
    let compute = try await LocalCompute.open(configuration)
    say("ready")
    switch arguments[2] {
    case "fill" where arguments.count == 5:
        let made = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<(Int(arguments[4]) ?? 0) {
                group.addTask {
                    let id = "\(arguments[3])\(number)"
                    do {
                        _ = try await compute.allocate(id, ports: [])
                        let request = VolumeRequest(instanceID: id, sizeGiB: 1, templateKey: nil)
                        _ = try await compute.createVolume(request)
                        return true
                    } catch {
                        return false
                    }
                }
            }
            var count = 0
            for await isMade in group where isMade { count += 1 }
            return count
        }
        say("\(made)")
    case "template" where arguments.count == 4:
        try await compute.ensureTemplate(
            TemplateRequest(
                key: arguments[3], datastoreName: "none", versionName: "1", guestConfiguration: guest))
        say("done")
    case "create" where arguments.count == 5:
        _ = try await compute.allocate(arguments[3], ports: [7000])
        _ = try await compute.createVolume(
            VolumeRequest(instanceID: arguments[3], sizeGiB: 1, templateKey: arguments[4]))
        _ = try await compute.boot(
            BootRequest(instanceID: arguments[3], flavor: flavor, guestConfiguration: guest))
        say("done")
    case "delete" where arguments.count == 4:
        try await compute.deleteServer(arguments[3])
        try await compute.deleteVolume(arguments[3])
        try await compute.release(arguments[3])
        say("done")
    case "stay":
        while true { try await Task.sleep(for: .seconds(60)) }
    default:
        exit(64)
    }
    await compute.close()
} catch {
    say("\(error)")
    exit(1)
}
