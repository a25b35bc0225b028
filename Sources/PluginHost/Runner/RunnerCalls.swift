// SPDX-License-Identifier: Apache-2.0

import Model

/// A call that waits for the plugin runner.
struct RunnerCall: Sendable {
    /// The raw value is the frame's `type`.
    enum Kind: String, Sendable { case policy, route, action, peer }

    let kind: Kind
    /// Whom it asks.
    let plugin: PluginReference
    /// Members of its frame, without those that change with time.
    let target: [String: JSONValue]
    let request: JSONValue
    let options: CallOptions
    let control: (any ControlHandler)?
    let answer: @Sendable (Result<JSONValue, PluginError>) -> Void
    /// Times it was handed to a runner.
    var attempts = 0
    var isSent = false
    var timer: Int?
    /// Control operations that run for it.
    var operations: [Task<Void, Never>] = []

    var pluginID: String { plugin.id }

    func frame(_ id: Int) -> JSONValue {
        .object(RunnerFrame.call(kind.rawValue, id, request, options).merging(target) { _, own in own })
    }
}

/// How a runner ended.
struct RunnerEnd: Sendable {
    /// The signal that ended it, or nil.
    var signal: Int32?
    var exitStatus: Int32?
    /// The plugin in whose code it trapped, with its version when the report has one.
    var plugin: PluginReference?
    var wasReady: Bool

    var pluginID: String? { plugin?.id }

    var reason: String {
        if let signal { return "signal \(signal)" }
        return exitStatus.map { "status \($0)" } ?? "an unknown status"
    }
}

/// What the worker knows of the runner and of the calls that wait for it. No I/O, no clock.
struct RunnerCalls {
    private(set) var calls: [Int: RunnerCall] = [:]
    private(set) var isReady = false
    private(set) var plugins: [PluginDescription] = []
    private(set) var routes: [PluginRoute] = []
    private var reported: [PluginRefusal] = []
    /// Plugins that trapped while they were loaded: later runners start without them.
    private(set) var excluded: [PluginReference: PluginRefusal] = [:]
    private var nextID = 1

    var refusals: [PluginRefusal] { reported + excluded.sorted { "\($0.key)" < "\($1.key)" }.map(\.value) }

    /// Why a plugin is not called; nil when it is.
    func refusal(_ plugin: PluginReference) -> PluginError? {
        excluded.first { $0.key.overlaps(plugin) }
            .map { PluginError(.unavailable, pluginID: plugin.id, $0.value.message) }
    }

    /// Calls that have not been answered, by plugin.
    func inFlight(_ plugin: PluginReference) -> Int { calls.values.count { $0.plugin.overlaps(plugin) } }

    mutating func add(_ call: RunnerCall) -> Int {
        defer { nextID += 1 }
        calls[nextID] = call
        return nextID
    }

    mutating func remove(_ id: Int) -> RunnerCall? { calls.removeValue(forKey: id) }

    mutating func setTimer(_ timer: Int, for id: Int) -> Bool {
        guard calls[id] != nil else { return false }
        calls[id]?.timer = timer
        return true
    }

    mutating func attach(_ operation: Task<Void, Never>, to id: Int) { calls[id]?.operations.append(operation) }

    /// The runner serves.
    mutating func ready(_ frame: JSONValue) {
        isReady = true
        plugins = (frame["plugins"]?.arrayValue ?? []).map(RunnerFrame.plugin)
        routes = (frame["routes"]?.arrayValue ?? []).map(RunnerFrame.route)
        reported = (frame["refusals"]?.arrayValue ?? []).map(PluginRefusal.init(json:))
    }

    /// Calls to hand to the runner now, in the order they came.
    mutating func takeUnsent() -> [JSONValue] {
        guard isReady else { return [] }
        return calls.keys.sorted().compactMap { id in
            guard calls[id]?.isSent == false else { return nil }
            calls[id]?.isSent = true
            calls[id]?.attempts += 1
            return calls[id]?.frame(id)
        }
    }

    /// The runner has ended.
    ///
    /// Calls in the plugin that trapped fail. Of the others, policy calls are pure and are asked once more; routes may have
    /// had an effect and fail. Calls that no runner had yet go on waiting.
    /// - Returns: Those that fail.
    mutating func ended(_ end: RunnerEnd) -> [(RunnerCall, PluginError)] {
        isReady = false
        if let plugin = end.plugin, !end.wasReady {
            excluded[plugin] = PluginRefusal(
                path: "", id: plugin.id, cause: .crashed,
                message: "'\(plugin)' trapped with \(end.reason) while it was loaded")
        }
        var failed: [(RunnerCall, PluginError)] = []
        for (id, call) in calls.sorted(by: { $0.key < $1.key }) {
            if let error = error(call, end) {
                calls[id] = nil
                failed.append((call, error))
            } else {
                calls[id]?.isSent = false
            }
        }
        return failed
    }

    /// No runner can be had now, or none is wanted any more.
    mutating func takeAll() -> [RunnerCall] {
        defer { calls = [:] }
        return calls.sorted { $0.key < $1.key }.map(\.value)
    }

    private func error(_ call: RunnerCall, _ end: RunnerEnd) -> PluginError? {
        if let plugin = end.plugin, plugin.overlaps(call.plugin), call.isSent || excluded[plugin] != nil {
            return PluginError(.crashed, pluginID: plugin.id, "plugin '\(plugin.id)' trapped with \(end.reason)")
        }
        guard call.isSent else { return nil }
        if call.kind == .policy, call.attempts < 2 { return nil }
        return PluginError(
            .unavailable, pluginID: call.pluginID,
            "the plugin runner ended with \(end.reason)" + (end.pluginID.map { " in plugin '\($0)'" } ?? ""))
    }
}
