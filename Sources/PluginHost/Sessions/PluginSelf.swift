// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Logging
import Model
import Synchronization

/// What a plugin's `open` handed out.
///
/// Unchecked: the pointer is the plugin's, and only its functions follow it, one at a time on a lane.
struct PluginSelf: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer?
}

/// Memory that a plugin fills during a call.
///
/// Unchecked: written by the plugin until the call ends, read once at its end.
struct OutputSlot<Value>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Value>

    /// Zeroed, and part of the call.
    init(in call: PluginCall, of type: Value.Type = Value.self) {
        pointer = call.scratch(MemoryLayout<Value>.size).assumingMemoryBound(to: Value.self)
    }
}

/// A value that the end of a call leaves for its caller.
final class Left<Value: Sendable>: Sendable {
    private let content = Mutex<Value?>(nil)

    var value: Value? {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}

/// One opened `self` with its lane, and its `close`.
final class OpenedSelf: Sendable {
    typealias Open =
        @convention(c) (OpaquePointer?, trove_str, UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> trove_status
    typealias Close = @convention(c) (UnsafeMutableRawPointer?) -> Void

    let plugin: LoadedPlugin
    private let lane: Lane
    private let own: PluginSelf
    private let closeFunction: Close
    private let isClosed = Mutex(false)

    private init(plugin: LoadedPlugin, lane: Lane, own: PluginSelf, close: @escaping Close) {
        self.plugin = plugin
        self.lane = lane
        self.own = own
        closeFunction = close
    }

    /// Calls an `open` function. What it makes after its caller has gone is closed.
    static func open(
        _ plugin: LoadedPlugin, _ name: String, config: [UInt8], options: CallOptions, open: @escaping Open,
        close: @escaping Close
    ) async throws(PluginError) -> OpenedSelf {
        let lane = Lane(isSerial: true)
        let call = PluginCall(host: plugin.host, function: name, options: options)
        let slot = OutputSlot(in: call, of: UnsafeMutableRawPointer?.self)
        let left = Left<PluginSelf>()
        let invocation = Invocation(
            call, on: lane,
            onEnd: { status, isAbandoned in
                guard status == trove_status(TROVE_OK) else { return }
                let own = PluginSelf(pointer: slot.pointer.pointee)
                if isAbandoned { close(own.pointer) } else { left.value = own }
            },
            body: { call, token in open(token, call.borrow(config), slot.pointer) }
        )
        _ = try await invocation.perform()
        return OpenedSelf(plugin: plugin, lane: lane, own: left.value ?? PluginSelf(pointer: nil), close: close)
    }

    /// Calls a function on this `self`, after those that were asked for before.
    func perform(
        _ name: String, _ options: CallOptions,
        onEnd: (@Sendable (Int32) -> Void)? = nil,
        _ body: @escaping @Sendable (PluginSelf, PluginCall, OpaquePointer?) -> trove_status
    ) async throws(PluginError) -> [UInt8] {
        if isClosed.withLock({ $0 }) {
            throw PluginError(.preconditionFailed, pluginID: plugin.host.id, "\(name): the session is closed")
        }
        let call = PluginCall(host: plugin.host, function: name, options: options)
        let own = own
        let invocation = Invocation(
            call, on: lane, onEnd: { status, _ in onEnd?(status) }, body: { call, token in body(own, call, token) })
        return try await invocation.perform()
    }

    /// Lets the plugin free it, after the calls that were asked for before. A repeat does nothing.
    func close(_ name: String, grace: Duration) async {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        guard isFirst else { return }
        let options = CallOptions(deadline: .after(grace), context: .init(requestID: ""))
        let call = PluginCall(host: plugin.host, function: name, options: options)
        let (own, function) = (own, closeFunction)
        let invocation = Invocation(call, on: lane) { _, _ in
            function(own.pointer)
            return trove_status(TROVE_OK)
        }
        // A task of its own: what is opened is closed also when the caller was cancelled.
        let outcome = await Task { () async -> PluginError? in
            do throws(PluginError) {
                _ = try await invocation.perform()
                return nil
            } catch {
                return error
            }
        }.value
        if let error = outcome {
            plugin.host.logger.warning(
                "plugin session was not closed",
                metadata: ["error.code": "\(error.code)", "plugin.function": "\(name)"])
        }
        lane.close()
    }
}
