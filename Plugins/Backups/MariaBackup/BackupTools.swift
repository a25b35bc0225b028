// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The engine's own programs for copies, run as the engine.
struct BackupTools {
    static let tool = "/usr/bin/mariabackup"
    private static let unpacker = "/usr/bin/mbstream"
    private static let client = "/usr/bin/mariadb"
    /// What the tool says last, and only then is its work whole: exit status 0 alone does not tell.
    private static let success = "completed OK!"

    let instance: InstanceDocument

    /// Lets the server write what it has changed in memory, so that the copy, and the increments that add to it, begin near the
    /// log's end: increments hold every page that was written since. A server that does not know how only makes them larger.
    func flush(login: String, call: Call) {
        call.progress(nil, "writing a checkpoint")
        _ = try? Host.run(
            Command(
                [
                    Self.client, "--defaults-file=\(login)", "--batch",
                    "--execute=SET GLOBAL innodb_log_checkpoint_now = ON",
                ], as: .engine, environment: environment, timeoutSeconds: 300), call: call)
    }

    /// Writes a copy of the running engine's data, or of what changed `since` a position in its log.
    func copy(login: String, scratch: String, since: UInt64?, to output: Int32, call: Call) throws {
        var words = [
            Self.tool, "--defaults-file=\(login)", "--backup", "--stream=xbstream", "--target-dir=\(scratch)",
            "--extra-lsndir=\(scratch)",
        ]
        if let since { words.append("--incremental-lsn=\(since)") }
        try check(try Host.run(Command(words, as: .engine, environment: environment), output: output, call: call))
    }

    /// Unpacks a stream into `directory`.
    func unpack(_ input: Int32, into directory: String, call: Call) throws {
        let result = try Host.run(
            Command([Self.unpacker, "-x", "-C", directory], as: .engine, environment: environment), input: input,
            call: call)
        guard result.isSuccess else {
            throw PluginFailure(
                .internal, "\(Self.unpacker) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }

    /// Applies the log of the copy in the data directory, or merges the unpacked `increment` into it.
    func prepare(adding increment: String? = nil, memoryMiB: Int, call: Call) throws {
        // The rest of the instance's memory is for the tool itself and for the page cache.
        let memory = min(max(memoryMiB / 2, 64), 4096)
        var words = [
            Self.tool, "--no-defaults", "--prepare", "--target-dir=\(instance.dataDirectory)",
            "--use-memory=\(memory)M",
        ]
        if let increment { words.append("--incremental-dir=\(increment)") }
        try check(try Host.run(Command(words, as: .engine, environment: environment), call: call))
    }

    private var environment: [String: String] { ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"] }

    private func check(_ result: CommandResult) throws {
        guard result.isSuccess, result.lastErrorLine.hasSuffix(Self.success) else {
            throw PluginFailure(.internal, "\(Self.tool) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }
}
