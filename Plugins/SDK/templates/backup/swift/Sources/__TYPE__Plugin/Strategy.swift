// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import TrovePluginKit

/// A strategy that streams the data directory with tar, run as the engine.
final class Strategy: BackupPlugin {
    static let kinds: BackupKinds = .full

    private static let tar = "/usr/bin/tar"
    private let dataDirectory: String

    init(instance: InstanceDocument, access: BackupAccess?, call: Call) throws {
        dataDirectory = instance.dataDirectory
    }

    func backup(_ request: BackupRequest, to output: BackupOutput, call: Call) throws -> JSON {
        let descriptor = try check(request.isIncremental, output.descriptor)
        try run(["--exclude=./lost+found", "-cf", "-", "."], output: descriptor, call)
        return ["format": "tar"]
    }

    func restore(_ request: RestoreRequest, from input: BackupInput, call: Call) throws {
        let descriptor = try check(request.isIncremental, input.descriptor)
        try run(["-xpf", "-"], input: descriptor, call)
    }

    /// Only full backups, over a descriptor that a child can have.
    private func check(_ isIncremental: Bool, _ descriptor: Int32?) throws -> Int32 {
        guard !isIncremental else { throw PluginFailure.unsupported("an incremental backup") }
        guard let descriptor else {
            throw PluginFailure(.unsupported, "the host's stream has no descriptor to give to a program")
        }
        return descriptor
    }

    private func run(_ options: [String], input: Int32? = nil, output: Int32? = nil, _ call: Call) throws {
        let command = Command([Self.tar, "-C", dataDirectory] + options, as: .engine, environment: ["LC_ALL": "C"])
        let result = try Host.run(command, input: input, output: output, call: call)
        // Source: tar(1), RETURN VALUE.
        if result.exitStatus == 1 { throw PluginFailure(.busy, "files changed while tar read them") }
        guard result.isSuccess else {
            throw PluginFailure(.internal, "\(Self.tar) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }
}
