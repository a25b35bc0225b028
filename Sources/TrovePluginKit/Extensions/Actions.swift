// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// The type of an argument, and what the action's function gets for it.
public enum ArgType: Sendable, Hashable {
    /// `Bool`.
    case bool
    /// `Int32`.
    case int32
    /// `Int64`.
    case int64
    /// `UInt64`.
    case uint64
    /// `Double`.
    case double
    /// `String`.
    case string
    /// `[UInt8]`; base64 in JSON.
    case bytes
    /// `JSON`.
    case json

    /// `TROVE_T_*`.
    var number: UInt32 {
        switch self {
        case .bool: UInt32(TROVE_T_BOOL)
        case .int32: UInt32(TROVE_T_I32)
        case .int64: UInt32(TROVE_T_I64)
        case .uint64: UInt32(TROVE_T_U64)
        case .double: UInt32(TROVE_T_F64)
        case .string: UInt32(TROVE_T_STR)
        case .bytes: UInt32(TROVE_T_BYTES)
        case .json: UInt32(TROVE_T_JSON)
        }
    }
}

/// One argument of an action; equal to the manifest's.
public struct Arg: Sendable {
    let name: String
    let type: ArgType
    let summary: String
    let isOptional: Bool
    let isSecret: Bool

    /// An argument.
    ///
    /// - Parameters:
    ///   - name: JSON key, snake_case.
    ///   - type: Decides the type of the function's parameter; an optional one that has no default is an Optional there.
    ///   - summary: One line: meaning, unit, range.
    ///   - isOptional: May be absent.
    ///   - isSecret: Never logged, never echoed.
    public init(
        _ name: String, _ type: ArgType, _ summary: String = "", isOptional: Bool = false, isSecret: Bool = false
    ) {
        self.name = name
        self.type = type
        self.summary = summary
        self.isOptional = isOptional
        self.isSecret = isSecret
    }
}

/// An operation that the plugin invents.
///
/// ```swift
/// Action("greet", "Says hello", Arg("who", .string, "name to greet"), Arg("times", .int64, "count, at least 1")) {
///     (call, who: String, times: Int64) in
///     try call.emit(["hello": .string(who), "times": .int(times)])
/// }
/// ```
public struct Action {
    let name: String
    let summary: String
    let arguments: [Arg]
    let isReadOnly: Bool
    let timeoutSeconds: Int
    let run: (Call, UnsafeBufferPointer<trove_value_1>) throws -> Void

    /// An action with its function, whose parameters after the call are the arguments in order.
    ///
    /// Parameters that do not fit the arguments end the process when the plugin is loaded, with a sentence; the host tries
    /// it in a child first.
    ///
    /// - Parameters:
    ///   - name: JSON key of the action, snake_case; equal to the manifest's.
    ///   - summary: One line.
    ///   - arguments: At most 8.
    ///   - isReadOnly: Changes nothing, may be repeated.
    ///   - timeoutSeconds: 0: the host's default of 60.
    ///   - run: Emits one JSON value, or nothing. Runs on a worker thread; calls may overlap.
    public init<each Value>(
        _ name: String, _ summary: String, _ arguments: Arg..., isReadOnly: Bool = false, timeoutSeconds: Int = 0,
        run: @escaping (Call, repeat each Value) throws -> Void
    ) {
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.isReadOnly = isReadOnly
        self.timeoutSeconds = timeoutSeconds
        ActionArguments.check(name, arguments, repeat (each Value).self)
        self.run = { call, values in
            var reader = ActionArguments(arguments: arguments, values: values)
            try run(call, repeat try reader.next((each Value).self))
        }
    }
}

/// Collects the actions of `.actions { … }`.
@resultBuilder public enum ActionsBuilder {
    /// The actions, in order.
    public static func buildBlock(_ actions: Action...) -> [Action] { actions }
}

extension PluginExtension {
    /// Offers actions as `trove.actions/1`, in the order of the manifest.
    public static func actions(@ActionsBuilder _ actions: () -> [Action]) -> PluginExtension {
        .actions(actions())
    }

    /// Offers actions as `trove.actions/1`, in the order of the manifest.
    public static func actions(_ actions: [Action]) -> PluginExtension {
        ActionTable.actions = actions
        let items = UnsafeMutablePointer<trove_action_1>.allocate(capacity: max(actions.count, 1))
        for (index, action) in actions.enumerated() {
            (items + index).initialize(to: ActionTable.entry(action, index))
        }
        return PluginExtension(
            TROVE_EXT_ACTIONS,
            trove_actions_1(
                size: UInt32(MemoryLayout<trove_actions_1>.size), count: UInt32(actions.count), items: items))
    }
}

private enum ActionTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var actions: [Action] = []

    private typealias Packed =
        @convention(c) (
            OpaquePointer?, UnsafeMutableRawPointer?, UnsafePointer<trove_value_1>?, UInt32
        ) -> trove_status

    static func entry(_ action: Action, _ index: Int) -> trove_action_1 {
        let arguments = UnsafeMutablePointer<trove_arg_1>.allocate(capacity: max(action.arguments.count, 1))
        for (index, argument) in action.arguments.enumerated() {
            let flags =
                (argument.isOptional ? UInt32(TROVE_ARG_OPTIONAL) : 0)
                | (argument.isSecret ? UInt32(TROVE_ARG_SECRET) : 0)
            (arguments + index).initialize(
                to: trove_arg_1(
                    name: Runtime.constant(argument.name), type: argument.type.number, flags: flags,
                    summary: Runtime.constant(argument.summary)))
        }
        let function: Packed = { ActionTable.serve($0, $1, $2, $3) }
        return trove_action_1(
            size: UInt32(MemoryLayout<trove_action_1>.size),
            flags: UInt32(TROVE_ACTION_PACKED) | (action.isReadOnly ? UInt32(TROVE_ACTION_READ_ONLY) : 0),
            name: Runtime.constant(action.name), summary: Runtime.constant(action.summary),
            args: action.arguments.isEmpty ? nil : UnsafePointer(arguments),
            arg_count: UInt32(action.arguments.count), timeout_s: UInt32(action.timeoutSeconds),
            fn: unsafeBitCast(function, to: trove_fn.self),
            // One C function serves all actions; the number of the one that is meant comes back in user.
            user: UnsafeMutableRawPointer(bitPattern: index + 1))
    }

    private static func serve(
        _ handle: OpaquePointer?, _ user: UnsafeMutableRawPointer?, _ values: UnsafePointer<trove_value_1>?,
        _ count: UInt32
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            let index = Int(bitPattern: user) - 1
            guard actions.indices.contains(index) else {
                throw PluginFailure(.internal, "this plugin has no action \(index)")
            }
            try actions[index].run(call, UnsafeBufferPointer(start: values, count: Int(count)))
        }
    }
}
