// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Compute

/// Removes everything of a home from the host: agents, engines, volumes, mounts, claims, and the home itself.
struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove a home and everything of it from this host, databases and backups included.",
        discussion: "The control plane must be stopped. What cannot be removed is named, and the exit code is 1."
    )

    @OptionGroup var home: HomeOption

    @Flag(help: "Do not ask.")
    var yes = false

    func run() async throws {
        let home = home.home
        do {
            guard Files.exists(home.path) else { throw StartError("\(home.path) is not there") }
            guard Files.exists(home.state) || Files.isEmptyDirectory(home.path) else {
                throw StartError("\(home.path) does not look like a control plane's home; it is left alone")
            }
            if !yes {
                Output.line("This deletes every database and backup of \(home.path). Type 'yes' to go on:")
                guard readLine() == "yes" else { throw ExitCode(1) }
            }
            try home.prepare()
            _ = try HomeLock.take(home, patienceSeconds: 5)
            let installation = try Installation()
            let compute = try EmbeddedShape.makeCompute(
                home: home, installation: installation, configuration: WorkerConfiguration()
            )
            let owners = Set(try await compute.inventory().compactMap(\.ownerID))
            for id in owners.sorted() {
                try await compute.deleteServer(id)
                try await compute.deleteVolume(id)
                try await compute.release(id)
            }
            try await compute.cleanUp()
            try Files.removeTree(home.path)
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        } catch let error as ComputeError {
            Output.error(error.message)
            throw ExitCode(1)
        }
    }
}
