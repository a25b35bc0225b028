// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// What is done beside the engine.
enum GuestActions {
    static var all: [Action] { [greet, sign, remember, keep, ask, tell, foundRoot] }

    private static var greet: Action {
        Action(
            "swift_greet", "Says hello", Arg("who", .string, "name to greet"),
            Arg("times", .int32, "count", isOptional: true), isReadOnly: true
        ) { (call, who: String, times: Int32) in
            try call.emit(["hello": .string(who), "times": .int(Int64(times)), "pid": .int(Int64(getpid()))])
        }
    }

    /// Says what it must not when `text` is "tell": the host keeps it back.
    private static var sign: Action {
        Action(
            "swift_sign", "Signs a text", Arg("key", .string, "the key", isSecret: true),
            Arg("text", .string, "what to sign")
        ) { (call, key: String, text: String) in
            if text == "tell" { throw PluginFailure(.preconditionFailed, "the key \(key) is worn out") }
            Host.log(.notice, "signed", ["text": .string(text)], call: call)
            try call.emit(["bytes": .int(Int64(key.utf8.count + text.utf8.count))])
        }
    }

    private static var remember: Action {
        Action(
            "swift_remember", "Keeps a value with the instance", Arg("value", .string, "what to keep", isOptional: true)
        ) { (call, value: String?) in try call.emit(try Memory.exchange("value", value, call)) }
    }

    private static var keep: Action {
        Action(
            "swift_keep", "Stores an object and reads it back", Arg("name", .string, "its name"),
            Arg("text", .string, "what it holds")
        ) { (call, name: String, text: String) in
            try Host.objects.put(name, Array(text.utf8), call: call)
            var bytes: [UInt8] = []
            try Host.objects.get(name, call: call) { bytes += $0 }
            let items = try Host.objects.list(call: call)
            try Host.objects.remove(name, call: call)
            try call.emit([
                "text": .string(String(decoding: bytes, as: UTF8.self)),
                "objects": .array(items.map { .string("\($0.name) \($0.bytes)") }),
                "left": .int(Int64(try Host.objects.list(call: call).count)),
            ])
        }
    }

    private static var ask: Action {
        Action(
            "swift_ask", "Asks the other role", Arg("method", .string, "what"), Arg("payload", .json, "with what")
        ) { (call, method: String, payload: JSON) in try call.emit(try Host.rpc.call(method, payload, call: call)) }
    }

    private static var tell: Action {
        Action("swift_tell", "Tells the other role a value", Arg("value", .string, "the value")) {
            (call, value: String) in try Host.rpc.cast("keep", .string(value), call: call)
        }
    }

    private static var foundRoot: Action {
        Action("swift_found_root", "Says that root was enabled on the engine itself") { call in
            try Host.report.rootEnabled(call: call)
        }
    }
}

/// A value of the plugin's that outlives the process.
enum Memory {
    /// Keeps a value if there is one; what is kept then.
    static func exchange(_ key: String, _ value: String?, _ call: Call) throws -> JSON {
        if let value { try Host.kv.put(key, Array(value.utf8), call: call) }
        guard let kept = try Host.kv.get(key, call: call) else { return ["value": .null, "revision": 0] }
        return ["value": .string(kept.text), "revision": .int(Int64(kept.revision))]
    }
}
