// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Compute
import Glibc

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
            let compute = try Seams.makeCompute(
                home: home, installation: installation, configuration: await configuration(home, installation)
            )
            let owners = Set(try await compute.inventory().compactMap(\.ownerID))
            for id in owners.sorted() {
                try await compute.deleteServer(id)
                try await compute.deleteVolume(id)
                try await compute.release(id)
            }
            try await compute.cleanUp()
            try remove(home)
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        } catch let error as ComputeError {
            Output.error(error.message)
            throw ExitCode(1)
        }
    }

    /// What the home was served with: it decides where its processes are looked for. A home whose file cannot be read any
    /// more is purged with the defaults.
    private func configuration(_ home: Home, _ installation: Installation) async -> WorkerConfiguration {
        (try? await WorkerConfiguration.read(home, installation)) ?? WorkerConfiguration()
    }

    /// An ordinary user may own the home and not the directory above it: then the home stays, empty.
    private func remove(_ home: Home) throws {
        for name in Files.names(in: home.path) ?? [] { try Files.removeTree(home.path + "/" + name) }
        guard rmdir(home.path) != 0, errno != ENOENT else { return }
        guard errno == EACCES || errno == EPERM || errno == EBUSY else {
            throw StartError("cannot remove \(home.path): \(String(cString: strerror(errno)))")
        }
        Output.line("\(home.path) is empty now; the directory itself can be removed by the owner of the one above it")
    }
}
