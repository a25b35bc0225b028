// SPDX-License-Identifier: Apache-2.0

import Foundation
package import Model

/// Private MariaDB, RabbitMQ, Keystone and Barbican nodes on 127.0.0.1, which `scripts/nodes.py` starts and supervises.
///
/// They end with this process, however it ends: the supervisor's standard input is a pipe from here.
package final class Nodes: @unchecked Sendable {
    package enum Name: String, Sendable { case mariadb, rabbitmq, keystone, barbican }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// What the supervisor printed: addresses, users, files of passwords, `ca_file` with TLS.
    package let document: JSONValue
    private let process: Process
    private let commands: FileHandle
    private let answers: FileHandle
    private let lock = NSLock()

    /// Starts nodes and waits until all of them answer: about five seconds.
    package init(_ names: [Name], tls: Bool = false, options: [String] = []) throws {
        let directory = "/tmp/trove-nodes-" + UUID().uuidString.prefix(8).lowercased()
        let (input, output) = (Pipe(), Pipe())
        // A program that some test starts must not hold the supervisor's input open.
        for descriptor in [input.fileHandleForWriting.fileDescriptor, output.fileHandleForReading.fileDescriptor] {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments =
            ["-B", Self.root + "/scripts/nodes.py", "start", "--dir", directory] + (tls ? ["--tls"] : [])
            + options + names.map(\.rawValue)
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        (commands, answers) = (input.fileHandleForWriting, output.fileHandleForReading)
        let line = Self.line(of: answers)
        guard let document = try? JSONValue(parsing: line) else {
            throw Failure(description: "the nodes did not start; what they said is on standard error")
        }
        self.document = document
    }

    deinit { try? commands.close() }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    // MARK: Faults

    /// Ends a node as kill -9 does.
    package func kill(_ name: Name) throws { try command("kill", name) }
    /// Asks a node to end, and waits for it.
    package func stop(_ name: Name) throws { try command("stop", name) }
    /// Starts a node that is stopped, on its ports and data, and waits until it answers.
    package func start(_ name: Name) throws { try command("start", name) }
    /// `stop`, then `start`.
    package func restart(_ name: Name) throws { try command("restart", name) }
    /// Halts a node's process: its sockets stay, nothing is answered.
    package func freeze(_ name: Name) throws { try command("freeze", name) }
    /// Lets a halted node go on.
    package func thaw(_ name: Name) throws { try command("thaw", name) }

    /// Starts what a failed test left stopped or halted.
    package func heal() throws {
        for name in [Name.mariadb, .rabbitmq, .keystone, .barbican] where document[name.rawValue]?.objectValue != nil {
            try thaw(name)
            try start(name)
        }
    }

    private func command(_ verb: String, _ name: Name) throws {
        let line = lock.withLock {
            commands.write(Data("\(verb) \(name.rawValue)\n".utf8))
            return Self.line(of: answers)
        }
        let answer = try JSONValue(parsing: line)
        if let error = answer["error"]?.stringValue { throw Failure(description: error) }
    }

    private static func line(of handle: FileHandle) -> String {
        var bytes = Data()
        while let next = try? handle.read(upToCount: 1), !next.isEmpty, next != Data([0x0A]) { bytes += next }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: What they are

    /// A text of the document, such as `text("mariadb", "trove", "password_file")`.
    package func text(_ path: String...) throws -> String {
        guard let text = member(path)?.stringValue else {
            throw Failure(description: "the nodes' document has no text \(path.joined(separator: "."))")
        }
        return text
    }

    /// A number of the document, such as `port("rabbitmq", "tls_port")`.
    package func port(_ path: String...) throws -> Int {
        guard let number = member(path)?.intValue else {
            throw Failure(description: "the nodes' document has no number \(path.joined(separator: "."))")
        }
        return number
    }

    /// What the file named by `password_file` at `path` holds, such as `password("rabbitmq", "admin")`.
    package func password(_ path: String...) throws -> String {
        guard let file = member(path + ["password_file"])?.stringValue else {
            throw Failure(description: "the nodes' document has no account \(path.joined(separator: "."))")
        }
        return try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func member(_ path: [String]) -> JSONValue? {
        path.reduce(Optional(document)) { $0?[$1] }
    }
}

extension Nodes {
    /// Nodes that all suites of this process share, started when first asked for.
    package static func shared(_ set: Set<Name> = [.mariadb, .rabbitmq, .keystone], tls: Bool = false) throws -> Nodes {
        try kept.nodes(set, tls: tls)
    }

    private static let kept = Kept()

    private final class Kept: @unchecked Sendable {
        private let lock = NSLock()
        private var running: [String: Nodes] = [:]

        /// One supervisor per set: a suite that needs the broker alone does not wait for Keystone.
        func nodes(_ set: Set<Name>, tls: Bool) throws -> Nodes {
            let names = set.sorted { $0.rawValue < $1.rawValue }
            let key = names.map(\.rawValue).joined(separator: ",") + (tls ? " tls" : "")
            return try lock.withLock {
                if let nodes = running[key] { return nodes }
                let nodes = try Nodes(names, tls: tls)
                running[key] = nodes
                return nodes
            }
        }
    }
}
