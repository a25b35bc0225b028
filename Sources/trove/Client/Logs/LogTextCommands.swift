// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Glibc

/// `trove log save INSTANCE LOG`
struct SaveLogCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write what of a log is published to a file.")

    @Flag(help: "Publish what is new before.") var publish = false
    @Option(
        help: ArgumentHelp("The file, which must not be there yet; - is standard output. Without it INSTANCE-LOG.log."))
    var file: String?
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The log's name.") var log: String

    func perform(_ client: ServiceClient) throws {
        let published = try PublishedLog(client, instance: instance, log: log, publish: publish)
        guard file != "-" else {
            return try published.read { bytes in
                try Self.write(bytes, to: STDOUT_FILENO, "standard output")
                return true
            }
        }
        let path = file ?? "\(instance)-\(log).log".replacing("/", with: "_")
        // Logs hold tenants' data.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClientError(.usage, "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var count = 0
        do {
            try published.read { bytes in
                try Self.write(bytes, to: descriptor, path)
                count += bytes.count
                return true
            }
        } catch {
            unlink(path)
            throw error
        }
        Output.line(TextWidth.visible("log \(log): \(count) bytes in \(path)"))
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, _ what: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw ClientError(.refused, "cannot write \(what): \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(written)
        }
    }
}

/// `trove log tail INSTANCE LOG`
struct TailLogCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Print the last lines of what of a log is published.")

    @Flag(help: "Publish what is new before.") var publish = false
    @Option(help: "So many lines.") var lines = 50
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The log's name.") var log: String

    func validate() throws {
        if lines < 1 { throw ValidationError("--lines must be at least 1") }
    }

    func perform(_ client: ServiceClient) throws {
        var tail: [UInt8] = []
        try PublishedLog(client, instance: instance, log: log, publish: publish).read(isReversed: true) { bytes in
            tail = bytes + tail
            return tail.count { $0 == UInt8(ascii: "\n") } <= lines
        }
        let isWhole = tail.last == UInt8(ascii: "\n")
        let found = tail.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast(
            isWhole ? 1 : 0)
        for line in found.suffix(lines) {
            // A terminal takes control characters as commands.
            Output.line(TextWidth.visible(String(decoding: line, as: UTF8.self)))
        }
    }
}
