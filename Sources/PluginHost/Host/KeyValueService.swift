// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// `trove.kv/1`.
enum KeyValueService {
    static var table: trove_kv_1 {
        trove_kv_1(
            size: UInt32(MemoryLayout<trove_kv_1>.size), flags: 0,
            get: { KeyValueService.get($0, $1, $2, $3) },
            put: { KeyValueService.put($0, $1, $2, $3, $4) },
            remove: { call, key, expected in
                ServiceCall.serve(call, "kv.remove") { call throws(PluginError) in
                    let key = try ServiceCall.name(key, "the key")
                    try KeyValueService.store(call).remove(
                        key, expected: KeyValueService.revision(expected), PluginCaller(call))
                }
            },
            list: { KeyValueService.list($0, $1, $2) }
        )
    }

    private static func get(
        _ token: OpaquePointer?, _ key: trove_str, _ value: UnsafeMutablePointer<trove_str>?,
        _ revision: UnsafeMutablePointer<UInt64>?
    ) -> trove_status {
        value?.pointee = trove_str()
        revision?.pointee = 0
        return ServiceCall.serve(token, "kv.get") { call throws(PluginError) in
            let key = try ServiceCall.name(key, "the key")
            guard let found = try store(call).get(key, PluginCaller(call)) else {
                throw PluginError(.notFound, "there is no value '\(key)'")
            }
            value?.pointee = call.borrow(found.value)
            revision?.pointee = UInt64(clamping: found.revision)
        }
    }

    private static func put(
        _ token: OpaquePointer?, _ key: trove_str, _ value: trove_str, _ expected: UInt64,
        _ result: UnsafeMutablePointer<UInt64>?
    ) -> trove_status {
        result?.pointee = 0
        return ServiceCall.serve(token, "kv.put") { call throws(PluginError) in
            let key = try ServiceCall.name(key, "the key")
            guard value.len <= Int(TROVE_KV_VALUE_MAX) else {
                throw ServiceCall.invalid("the value of '\(key)' is larger than \(TROVE_KV_VALUE_MAX) bytes")
            }
            let new = try store(call).put(
                key, Borrowed.bytes(value), expected: revision(expected), PluginCaller(call))
            result?.pointee = UInt64(clamping: new)
        }
    }

    private static func list(
        _ token: OpaquePointer?, _ request: trove_str, _ response: UnsafeMutablePointer<trove_str>?
    ) -> trove_status {
        response?.pointee = trove_str()
        return ServiceCall.serve(token, "kv.list") { call throws(PluginError) in
            let range = try ServiceCall.range(request, "the kv list request")
            let page = try store(call).list(range, PluginCaller(call))
            response?.pointee = call.borrow(page.json.serialized)
        }
    }

    private static func store(_ call: PluginCall) throws(PluginError) -> any KeyValueStore {
        guard let store = call.host.backing.values else { throw ServiceCall.absent("store of values") }
        return store
    }

    private static func revision(_ expected: UInt64) -> ExpectedRevision {
        switch expected {
        case UInt64.max: .any
        case 0: .absent
        default: .exactly(Int(clamping: expected))
        }
    }
}

extension KeyPage {
    /// `{"keys": [{"key", "revision"}], "next"}`.
    var json: JSONValue {
        .object([
            "keys": .array(items.map { ["key": .string($0.key), "revision": .int(Int64($0.revision))] }),
            "next": .optional(next),
        ])
    }

    init(json: JSONValue) {
        self.init(
            items: (json["keys"]?.arrayValue ?? []).map {
                Item(key: $0["key"]?.stringValue ?? "", revision: $0["revision"]?.intValue ?? 0)
            },
            next: json["next"]?.stringValue)
    }
}
