// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import TrovePluginKit

/// A plugin in the tests' own process, so that the kit itself is what runs.
enum KitPlugin: Plugin {
    static let id = "org.example.kit"
    static let version = "1.0.0"
    static var extensions: [PluginExtension] {
        [
            .actions {
                KitActions.plain
                KitActions.optional
                KitActions.service
            },
            .moduleDriver(NoteDriver.self),
            .rpcPeer { message, _ in
                if message.method == "fail" { throw PluginFailure(.busy, "later") }
                return [
                    "from": .string(message.sender.rawValue), "instance_id": .string(message.instanceID),
                    "method": .string(message.method), "payload": message.payload,
                ]
            },
        ]
    }

    // Written once in start, before anything else.
    nonisolated(unsafe) static var counter: Metric?
    nonisolated(unsafe) static var refused: Metric?

    static func start() {
        counter = Host.metrics.counter("kit_things", "Things.", labels: ["kind", "place"])
        refused = Host.metrics.gauge("refused", "The host does not want it.")
    }

    /// Started with the tests' host.
    // Constant after the first use.
    nonisolated(unsafe) static let table: Result<trove_plugin_1, any Error> = Result {
        guard let plugin = export(KitPlugin.self, 1, 0), plugin.pointee.`init`?(TestHost.table) == 0 else {
            throw TestProblem("the plugin does not start")
        }
        return plugin.pointee
    }

    static func table<Table>(_ id: String, _ type: Table.Type) throws -> Table {
        guard let pointer = try table.get().get_extension?(id) else { throw TestProblem("\(id) is not offered") }
        return pointer.load(as: type)
    }
}

enum KitActions {
    static var plain: Action {
        Action(
            "plain", "Shows what came", Arg("flag", .bool), Arg("small", .int32), Arg("large", .int64),
            Arg("unsigned", .uint64), Arg("real", .double), Arg("text", .string), Arg("bytes", .bytes),
            Arg("document", .json), isReadOnly: true, timeoutSeconds: 7
        ) {
            (
                call, flag: Bool, small: Int32, large: Int64, unsigned: UInt64, real: Double, text: String,
                bytes: [UInt8], document: JSON
            ) in
            try call.emit([
                "flag": .bool(flag), "small": .int(Int64(small)), "large": .int(large),
                "unsigned": .string("\(unsigned)"), "real": .double(real), "text": .string(text),
                "bytes": .array(bytes.map { .int(Int64($0)) }), "document": document,
            ])
        }
    }

    /// Says which arguments are there.
    static var optional: Action {
        Action(
            "optional", "Shows what came", Arg("flag", .bool, isOptional: true), Arg("small", .int32, isOptional: true),
            Arg("large", .int64, isOptional: true), Arg("unsigned", .uint64, isOptional: true),
            Arg("real", .double, isOptional: true), Arg("text", .string, isOptional: true, isSecret: true),
            Arg("bytes", .bytes, isOptional: true), Arg("document", .json, isOptional: true)
        ) {
            (
                call, flag: Bool?, small: Int32?, large: Int64?, unsigned: UInt64?, real: Double?, text: String?,
                bytes: [UInt8]?, document: JSON?
            ) in
            let there = [
                flag != nil, small != nil, large != nil, unsigned != nil, real != nil, text != nil, bytes != nil,
                document != nil,
            ]
            try call.emit(.array(there.map(JSON.bool)))
        }
    }

    // What `service` does; a test's own, one at a time.
    nonisolated(unsafe) static var body: (Call) throws -> Void = { _ in }

    static var service: Action { Action("service", "Uses the host") { call in try body(call) } }
}

/// Keeps what was applied.
enum NoteDriver: ModuleValidating, ModuleRemoving {
    static let type = "note"

    static func validate(_ module: ModuleRequest, call: Call) throws {
        guard module.contents.count < 100 else { throw PluginFailure(.invalidArgument, "a note is short") }
    }

    static func apply(_ module: ModuleRequest, call: Call) throws -> String {
        "\(module.id) \(module.name) \(module.type) \(module.contents) \(module.md5 ?? "-")"
    }

    static func remove(_ module: ModuleRequest, call: Call) throws {
        if module.name == "fixed" { throw PluginFailure(.preconditionFailed, "it stays") }
    }
}
