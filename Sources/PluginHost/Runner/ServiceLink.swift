// SPDX-License-Identifier: Apache-2.0

import Model

/// Asks the worker for what plugins in the runner need of it: control operations and services. Blocks plugins' threads.
final class ServiceLink: Sendable {
    private struct State {
        var nextID = 1
        var answers: [Int: Result<JSONValue, PluginError>?] = [:]
        var isClosed = false
    }

    private let channel: FrameChannel
    private let state = ConditionLock(State())

    init(channel: FrameChannel) { self.channel = channel }

    /// Serves `trove.control/1` for one call.
    struct Bound: ControlBridge {
        let link: ServiceLink

        func perform(
            _ operation: String, _ request: JSONValue, for call: PluginCall
        ) -> Result<JSONValue, PluginError> { link.perform("control", operation, request, call) }
    }

    var control: Bound { Bound(link: self) }

    func deliver(_ id: Int, _ result: Result<JSONValue, PluginError>) {
        state.update { state in
            if state.answers[id] != nil { state.answers[id] = .some(result) }
        }
    }

    /// The worker is gone.
    func close() { state.update { $0.isClosed = true } }

    /// - Parameter type: `control`, or `service` for what any call may ask.
    func perform(
        _ type: String, _ operation: String, _ request: JSONValue, _ call: PluginCall
    ) -> Result<JSONValue, PluginError> {
        let id = state.update { state in
            defer { state.nextID += 1 }
            state.answers[state.nextID] = .some(nil)
            return state.nextID
        }
        defer { state.update { $0.answers[id] = nil } }
        let watch = call.onStop { [weak self] in self?.state.update { _ in } }
        defer { call.forget(watch) }
        let isSent = channel.send(
            .object([
                "type": .string(type), "id": .int(Int64(id)), "call": .int(Int64(call.options.frameID ?? -1)),
                "plugin": .string(call.host.id), "operation": .string(operation), "request": request,
            ]))
        guard isSent else { return .failure(PluginError(.unavailable, "the control plane does not listen")) }
        let answer: Result<JSONValue, PluginError>? = state.wait(until: call.options.deadline.instant) { state in
            if let answer = state.answers[id] ?? nil { return answer }
            if state.isClosed { return .failure(PluginError(.unavailable, "the control plane is gone")) }
            if call.isCancelled { return .failure(PluginError(.cancelled, "\(operation) was cancelled")) }
            return nil
        }
        return answer ?? .failure(PluginError(.timedOut, "\(operation) did not end before the deadline"))
    }
}

extension ServiceLink: KeyValueStore {
    func get(_ key: String, _ caller: PluginCaller) throws(PluginError) -> StoredValue? {
        StoredValue(json: try ask(.getValue, ["key": .string(key)], caller))
    }

    func put(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, _ caller: PluginCaller
    ) throws(PluginError) -> Int {
        let request: JSONValue = [
            "key": .string(key), "value": .string(Base64.encode(value)), "expected": expected.json,
        ]
        return try ask(.putValue, request, caller)["revision"]?.intValue ?? 0
    }

    func remove(_ key: String, expected: ExpectedRevision, _ caller: PluginCaller) throws(PluginError) {
        _ = try ask(.removeValue, ["key": .string(key), "expected": expected.json], caller)
    }

    func list(_ range: NameRange, _ caller: PluginCaller) throws(PluginError) -> KeyPage {
        KeyPage(json: try ask(.listValues, range.json, caller))
    }

    private func ask(
        _ operation: ServiceOperation, _ request: JSONValue, _ caller: PluginCaller
    ) throws(PluginError) -> JSONValue {
        try perform("service", operation.rawValue, request, caller.call).get()
    }
}

extension ServiceLink: PluginPeer {
    func call(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError) -> JSONValue {
        try ask(.callPeer, message.json, caller)
    }

    func cast(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError) {
        _ = try ask(.castPeer, message.json, caller)
    }
}

/// What the runner asks of the worker; the raw value is the frame's `operation`.
enum ServiceOperation: String {
    case getValue = "kv.get"
    case putValue = "kv.put"
    case removeValue = "kv.remove"
    case listValues = "kv.list"
    case callPeer = "rpc.call"
    case castPeer = "rpc.cast"
}
