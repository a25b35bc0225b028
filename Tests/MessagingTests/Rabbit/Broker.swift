// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Model
import Synchronization
import TestSupport
import Testing

@testable import Messaging

/// What an operator does at a broker's management API.
struct Broker {
    struct Failure: Error { var text: String }

    let nodes: Nodes

    /// Sends a request with curl(1), which reads the password from its standard input.
    @discardableResult
    func manage(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue {
        var lines = [
            "user = \"admin:\(try nodes.password("rabbitmq", "admin"))\"", "request = \(method)", "silent",
            "fail-with-body",
            "show-error", "url = \"\(try nodes.text("rabbitmq", "management_url"))/api/\(path)\"",
            "header = \"Content-Type: application/json\"",
        ]
        if let body { lines.append("data = \(JSONValue.string(body.text).text)") }
        let output = try Self.run("/usr/bin/curl", ["-K", "-"], input: lines.joined(separator: "\n"))
        return output.isEmpty ? .null : try JSONValue(parsing: output)
    }

    /// Puts raw bytes on an exchange.
    func publish(_ exchange: String, _ key: String, _ payload: String, _ properties: JSONValue) throws -> Bool {
        let body: JSONValue = [
            "properties": properties, "routing_key": .string(key), "payload": .string(payload),
            "payload_encoding": "string",
        ]
        let answer = try manage("POST", "exchanges/trove/\(exchange)/publish", body)
        return answer["routed"] == true
    }

    /// Takes messages off a queue.
    func take(_ queue: String) throws -> [JSONValue] {
        let body: JSONValue = ["count": 100, "ackmode": "ack_requeue_false", "encoding": "auto"]
        return try manage("POST", "queues/trove/\(queue)/get", body).arrayValue ?? []
    }

    /// Names of the queues, and whether each is durable.
    func queues() throws -> [String: JSONValue] {
        let list = try manage("GET", "queues/trove").arrayValue ?? []
        return Dictionary(list.compactMap { item in item["name"]?.stringValue.map { ($0, item) } }) { first, _ in first
        }
    }

    /// Closes the broker's connections whose names begin so; returns how many.
    func closeConnections(_ prefix: String) throws -> Int {
        var count = 0
        for item in try manage("GET", "connections").arrayValue ?? [] {
            guard item["client_properties"]?["connection_name"]?.stringValue?.hasPrefix(prefix) == true,
                let name = item["name"]?.stringValue
            else { continue }
            let escaped = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
            _ = try? manage("DELETE", "connections/\(escaped)")
            count += 1
        }
        return count
    }

    /// Runs a program and returns what it wrote; throws when it fails.
    static func run(_ program: String, _ arguments: [String], input: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let (source, output) = (Pipe(), Pipe())
        process.standardInput = source
        process.standardOutput = output
        try process.run()
        if let input { source.fileHandleForWriting.write(Data(input.utf8)) }
        try source.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(text: text) }
        return text
    }
}

/// Clients of one broker, which are closed with it.
final class RabbitFixture: Sendable {
    let nodes: Nodes
    let configuration: RabbitConfiguration
    private let clients = Mutex<[RabbitBus]>([])
    let mark = SystemRandomSource().bytes(4).hex

    init(_ nodes: Nodes, _ change: (inout RabbitConfiguration) -> Void = { _ in }) throws {
        self.nodes = nodes
        var configuration = try RabbitConfiguration(nodes)
        configuration.exchange = "x-\(mark)"
        change(&configuration)
        self.configuration = configuration
    }

    var broker: Broker { Broker(nodes: nodes) }

    func topic(_ name: String) -> String { "\(name)-\(mark)" }

    /// Reply queues of the clients that call.
    var replyQueues: [String] {
        clients.withLock { clients in clients.filter { $0.state.withLock { $0.wantsReplies } }.map(\.replyQueue) }
    }

    /// The name begins the connections' names at the broker, so it is made this fixture's own.
    func client(
        _ name: String, _ options: RabbitBus.Options = .init(drain: .seconds(2)), logger: Logger = .quiet,
        keyring: (any RPCKeyring)? = nil, _ change: (inout RabbitConfiguration) -> Void = { _ in }
    ) -> RabbitBus {
        var configuration = configuration
        change(&configuration)
        let bus = RabbitBus(configuration, name: "\(name)-\(mark)", logger: logger, options: options, keyring: keyring)
        clients.withLock { $0.append(bus) }
        return bus
    }

    func tearDown() async {
        for client in clients.withLock({ $0 }) { await client.close() }
    }
}

/// Runs a test with a broker, which is the shared one unless another is given.
func withRabbit(
    _ nodes: Nodes? = nil, _ change: (inout RabbitConfiguration) -> Void = { _ in },
    _ body: (RabbitFixture) async throws -> Void
) async throws {
    let fixture = try RabbitFixture(try nodes ?? Nodes.shared([.rabbitmq]), change)
    do {
        try await body(fixture)
    } catch {
        await fixture.tearDown()
        throw error
    }
    await fixture.tearDown()
}

/// Waits until something is so; the suite's time limit ends a wait that never does.
func until(_ condition: () throws -> Bool) async throws {
    while try !condition() { try await Task.sleep(for: .milliseconds(50)) }
}

/// A log whose lines a test reads.
struct RecordingLog: LogHandler {
    let lines: Recorder<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(_ lines: Recorder<String>) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.append("\(event.level): \(event.message) \(event.metadata ?? [:])")
    }
}
