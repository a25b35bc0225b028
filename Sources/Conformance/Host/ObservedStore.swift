// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model
import Synchronization

/// The key-value service of the check: in memory, with revisions.
enum ObservedStore {
    static func get(
        _ handle: OpaquePointer?, _ key: trove_str, _ value: UnsafeMutablePointer<trove_str>?,
        _ revision: UnsafeMutablePointer<UInt64>?
    ) -> Int32 {
        guard let entry = ObservedHost.shared.state.withLock({ $0.store[String(borrowed: key)] }) else {
            return ObservedServices.fail(handle, "kv", Int(TROVE_NOT_FOUND), "there is no such key")
        }
        return ObservedHost.shared.with(handle, "kv", else: Int32(TROVE_PRECONDITION_FAILED)) { call in
            value?.pointee = call.lend(entry.value)
            revision?.pointee = entry.revision
            return Int32(TROVE_OK)
        }
    }

    static func put(
        _ handle: OpaquePointer?, _ key: trove_str, _ value: trove_str, _ expected: UInt64,
        _ revision: UnsafeMutablePointer<UInt64>?
    ) -> Int32 {
        let (name, bytes) = (String(borrowed: key), [UInt8](borrowed: value))
        guard bytes.count <= Int(TROVE_KV_VALUE_MAX), !name.isEmpty, name.utf8.count <= Int(TROVE_KV_KEY_MAX) else {
            return ObservedServices.fail(handle, "kv", Int(TROVE_INVALID_ARGUMENT), "the key or the value is too long")
        }
        let stored: UInt64? = ObservedHost.shared.state.withLock { state in
            let current = state.store[name]?.revision ?? 0
            guard expected == UInt64.max || expected == current else { return nil }
            state.store[name] = (bytes, current + 1)
            return current + 1
        }
        guard let stored else {
            return ObservedServices.fail(handle, "kv", Int(TROVE_PRECONDITION_FAILED), "the key has another revision")
        }
        revision?.pointee = stored
        return Int32(TROVE_OK)
    }

    static func remove(_ handle: OpaquePointer?, _ key: trove_str, _ expected: UInt64) -> Int32 {
        let name = String(borrowed: key)
        let isGone = ObservedHost.shared.state.withLock { state in
            guard expected == UInt64.max || expected == state.store[name]?.revision ?? 0 else { return false }
            state.store[name] = nil
            return true
        }
        return isGone
            ? Int32(TROVE_OK)
            : ObservedServices.fail(handle, "kv", Int(TROVE_PRECONDITION_FAILED), "the key has another revision")
    }

    static func list(
        _ handle: OpaquePointer?, _ request: trove_str, _ response: UnsafeMutablePointer<trove_str>?
    ) -> Int32 {
        let prefix = (try? JSONValue(parsing: [UInt8](borrowed: request)))?["prefix"]?.stringValue ?? ""
        let keys = ObservedHost.shared.state.withLock { state in
            state.store.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map {
                JSONValue.object(["key": .string($0.key), "revision": .int(Int64($0.value.revision))])
            }
        }
        return ObservedHost.shared.with(handle, "kv", else: Int32(TROVE_PRECONDITION_FAILED)) { call in
            response?.pointee = call.lend(Array(JSONValue.object(["keys": .array(keys), "next": .null]).serialized))
            return Int32(TROVE_OK)
        }
    }
}
