// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Reads packed values as the parameters of an action's function.
///
/// Types are compared, not conformed to a protocol: a conformance of a standard type would cross into other plugins.
struct ActionArguments {
    let arguments: [Arg]
    let values: UnsafeBufferPointer<trove_value_1>
    private var index = 0

    init(arguments: [Arg], values: UnsafeBufferPointer<trove_value_1>) {
        self.arguments = arguments
        self.values = values
    }

    /// The next argument.
    mutating func next<Value>(_ type: Value.Type) throws -> Value {
        guard arguments.indices.contains(index), values.indices.contains(index) else {
            throw PluginFailure(.internal, "the host gave \(values.count) arguments")
        }
        let (argument, value) = (arguments[index], values[index])
        index += 1
        guard value.type == argument.type.number else {
            throw PluginFailure(.invalidArgument, "argument '\(argument.name)' came with another type")
        }
        if let found = Self.value(value, of: argument.type) as? Value { return found }
        throw PluginFailure(.invalidArgument, "argument '\(argument.name)' is missing")
    }

    /// nil for what is absent; else of the type that `ArgType` says, so a cast to Optional works for both.
    private static func value(_ value: trove_value_1, of type: ArgType) -> Any? {
        guard value.present != 0 else { return nil }
        return switch type {
        case .bool: value.v.i32 != 0
        case .int32: value.v.i32
        case .int64: value.v.i64
        case .uint64: value.v.u64
        case .double: value.v.f64
        case .string: String(borrowed: value.v.str)
        case .bytes: Array(UnsafeRawBufferPointer(start: value.v.str.ptr, count: value.v.str.len))
        case .json: try? JSON(borrowed: value.v.str)
        }
    }

    /// Ends the process unless the function's parameters fit the arguments.
    static func check<each Value>(_ action: String, _ arguments: [Arg], _ types: repeat (each Value).Type) {
        precondition(
            arguments.count <= Int(TROVE_ACTION_ARGS_MAX), "action '\(action)' has more than \(TROVE_ACTION_ARGS_MAX)")
        var index = 0
        for type in repeat each types {
            precondition(index < arguments.count, "action '\(action)': its function has more parameters than arguments")
            let argument = arguments[index]
            let fits = accepted(argument.type)
            precondition(
                type == fits.plain || type == fits.optional,
                "action '\(action)': argument '\(argument.name)' is \(argument.type), its parameter \(type)")
            index += 1
        }
        precondition(index == arguments.count, "action '\(action)': its function has fewer parameters than arguments")
    }

    private static func accepted(_ type: ArgType) -> (plain: Any.Type, optional: Any.Type) {
        switch type {
        case .bool: (Bool.self, Bool?.self)
        case .int32: (Int32.self, Int32?.self)
        case .int64: (Int64.self, Int64?.self)
        case .uint64: (UInt64.self, UInt64?.self)
        case .double: (Double.self, Double?.self)
        case .string: (String.self, String?.self)
        case .bytes: ([UInt8].self, [UInt8]?.self)
        case .json: (JSON.self, JSON?.self)
        }
    }
}
