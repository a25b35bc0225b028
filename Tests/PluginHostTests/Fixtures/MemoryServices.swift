// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization

@testable import PluginHost

/// A worker's services in memory: values, and a peer that says who asked.
final class MemoryServices: WorkerServices {
    private struct State {
        var values: [String: [String: StoredValue]] = [:]
        var last = 0
        var casts: [PeerMessage] = []
    }

    private let state = Mutex(State())

    var casts: [PeerMessage] { state.withLock { $0.casts } }

    func value(_ key: String, of pluginID: String) async throws(PluginError) -> StoredValue? {
        state.withLock { $0.values[pluginID]?[key] }
    }

    func putValue(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, of pluginID: String
    ) async throws(PluginError) -> Int {
        let revision: Int? = state.withLock { state in
            guard expected.allows(state.values[pluginID]?[key]?.revision) else { return nil }
            state.last += 1
            state.values[pluginID, default: [:]][key] = StoredValue(value: value, revision: state.last)
            return state.last
        }
        guard let revision else { throw PluginError(.preconditionFailed, "another revision") }
        return revision
    }

    func removeValue(_ key: String, expected: ExpectedRevision, of pluginID: String) async throws(PluginError) {
        let isDone: Bool = state.withLock { state in
            guard expected.allows(state.values[pluginID]?[key]?.revision) else { return false }
            state.values[pluginID]?[key] = nil
            return true
        }
        if !isDone { throw PluginError(.preconditionFailed, "another revision") }
    }

    func listValues(_ range: NameRange, of pluginID: String) async throws(PluginError) -> KeyPage {
        let keys = state.withLock { $0.values[pluginID] ?? [:] }.filter { $0.key.hasPrefix(range.prefix) }
        let items = keys.map { KeyPage.Item(key: $0.key, revision: $0.value.revision) }.sorted { $0.key < $1.key }
        let page = Array(items.prefix(range.limit))
        return KeyPage(items: page, next: items.count > range.limit ? page.last?.key : nil)
    }

    func message(
        _ message: PeerMessage, to pluginID: String, waits: Bool, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        if message.method == "wait" { try? await Task.sleep(for: .seconds(60)) }
        guard waits else {
            state.withLock { $0.casts.append(message) }
            return .null
        }
        if message.method == "refuse" { throw PluginError(.busy, "the peer is busy") }
        return ["plugin": .string(pluginID), "project": .string(context.projectID), "payload": message.payload]
    }
}
