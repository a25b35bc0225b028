// SPDX-License-Identifier: Apache-2.0

import CFFI
import CTrovePlugin

/// One action of a loaded plugin, ready to be called.
///
/// Unchecked: everything is written in init and constant until the process ends, like the plugin's code.
package final class ActionCall: @unchecked Sendable {
    package let declaration: ActionDeclaration
    /// Limit of one call, in seconds.
    package let timeoutSeconds: Int
    private let form: Form

    private enum Form {
        /// libffi keeps the pointer to the types, so both live as long as this.
        case typed(UnsafeMutablePointer<ffi_cif>, trove_fn)
        case packed(Packed, user: UnsafeMutableRawPointer?)
    }

    private typealias Packed =
        @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafePointer<trove_value_1>?, UInt32) ->
        trove_status

    package static let defaultTimeoutSeconds = 60

    /// - Returns: nil when libffi cannot describe the function.
    init?(_ declaration: ActionDeclaration, _ item: trove_action_1) {
        guard let function = item.fn else { return nil }
        self.declaration = declaration
        timeoutSeconds = item.timeout_s == 0 ? Self.defaultTimeoutSeconds : Int(item.timeout_s)
        if item.flags & UInt32(TROVE_ACTION_PACKED) != 0 {
            form = .packed(unsafeBitCast(function, to: Packed.self), user: item.user)
            return
        }
        let count = declaration.arguments.count + 1
        let types = UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>.allocate(capacity: count)
        types[0] = cffi_pointer()
        for (index, argument) in declaration.arguments.enumerated() { types[index + 1] = Self.type(argument.type) }
        let interface = UnsafeMutablePointer<ffi_cif>.allocate(capacity: 1)
        interface.initialize(to: ffi_cif())
        guard cffi_prepare(interface, UInt32(count), types) == 0 else {
            interface.deallocate()
            types.deallocate()
            return nil
        }
        form = .typed(interface, function)
    }

    private static func type(_ type: ActionType) -> UnsafeMutablePointer<ffi_type>? {
        switch type {
        case .bool, .i32: cffi_sint32()
        case .i64: cffi_sint64()
        case .u64: cffi_uint64()
        case .f64: cffi_double()
        case .str, .bytes, .json: cffi_pointer()
        }
    }

    /// Bytes of memory that `call` needs for these values.
    package static func memory(_ values: [ActionValue]) -> Int {
        values.reduce(0) { size, value in
            let text = value.borrowed.map { $0.count + MemoryLayout<trove_str>.stride } ?? 0
            return size + MemoryLayout<trove_value_1>.stride + text
        }
    }

    /// Calls the function; no JSON, no thread, no logs. Blocks for as long as it runs.
    ///
    /// - Parameters:
    ///   - token: What the function gets as its call; NULL is for functions that do not use it.
    ///   - values: One of each argument's type, as `ActionDeclaration.values` gives them.
    ///   - memory: At least `memory(values)` bytes, aligned to 16, that stay until the call ends.
    /// - Returns: The function's status.
    package func call(
        _ token: OpaquePointer?, _ values: [ActionValue], memory: UnsafeMutableRawPointer
    ) -> Int32 {
        precondition(values.count == declaration.arguments.count, "an action is called with its own arguments")
        switch form {
        case .packed(let function, let user): return callPacked(function, user, token, values, memory)
        case .typed(let interface, let function): return callTyped(interface, function, token, values, memory)
        }
    }

    private func callTyped(
        _ interface: UnsafeMutablePointer<ffi_cif>, _ function: trove_fn, _ token: OpaquePointer?,
        _ values: [ActionValue], _ memory: UnsafeMutableRawPointer
    ) -> Int32 {
        let texts = memory.bindMemory(to: trove_str.self, capacity: values.count)
        var bytes = memory + values.count * MemoryLayout<trove_str>.stride
        // One register-sized cell for each value, and its address for libffi.
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: values.count + 1) { cells in
            withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: values.count + 1) { addresses in
                guard let first = cells.baseAddress, let list = addresses.baseAddress else {
                    return Int32(TROVE_INTERNAL)
                }
                for index in 0...values.count { list[index] = UnsafeMutableRawPointer(first + index) }
                UnsafeMutableRawPointer(first).storeBytes(of: token, as: OpaquePointer?.self)
                for (index, value) in values.enumerated() {
                    let cell = UnsafeMutableRawPointer(first + index + 1)
                    switch value {
                    case .bool(let flag): cell.storeBytes(of: flag ? 1 : 0, as: Int32.self)
                    case .i32(let number): cell.storeBytes(of: number, as: Int32.self)
                    case .i64(let number): cell.storeBytes(of: number, as: Int64.self)
                    case .u64(let number): cell.storeBytes(of: number, as: UInt64.self)
                    case .f64(let number): cell.storeBytes(of: number, as: Double.self)
                    case .absent: cell.storeBytes(of: nil, as: UnsafePointer<trove_str>?.self)
                    case .str(let text), .bytes(let text), .json(let text):
                        texts[index] = Self.copy(text, &bytes)
                        cell.storeBytes(of: UnsafePointer(texts + index), as: UnsafePointer<trove_str>?.self)
                    }
                }
                return cffi_call(interface, function, list)
            }
        }
    }

    private func callPacked(
        _ function: Packed, _ user: UnsafeMutableRawPointer?, _ token: OpaquePointer?, _ values: [ActionValue],
        _ memory: UnsafeMutableRawPointer
    ) -> Int32 {
        let items = memory.bindMemory(to: trove_value_1.self, capacity: values.count)
        var bytes = memory + values.count * MemoryLayout<trove_value_1>.stride
        for (index, value) in values.enumerated() {
            var item = trove_value_1()
            item.type = declaration.arguments[index].type.number
            item.present = value == .absent ? 0 : 1
            switch value {
            case .absent: break
            case .bool(let flag): item.v.i32 = flag ? 1 : 0
            case .i32(let number): item.v.i32 = number
            case .i64(let number): item.v.i64 = number
            case .u64(let number): item.v.u64 = number
            case .f64(let number): item.v.f64 = number
            case .str(let text), .bytes(let text), .json(let text): item.v.str = Self.copy(text, &bytes)
            }
            items[index] = item
        }
        return function(token, user, values.isEmpty ? nil : UnsafePointer(items), UInt32(values.count))
    }

    private static func copy(_ bytes: [UInt8], _ place: inout UnsafeMutableRawPointer) -> trove_str {
        guard !bytes.isEmpty else { return trove_str() }
        place.copyMemory(from: bytes, byteCount: bytes.count)
        defer { place += bytes.count }
        return trove_str(ptr: UnsafePointer(place.assumingMemoryBound(to: CChar.self)), len: bytes.count)
    }
}

extension ActionValue {
    /// The bytes of what crosses as `const trove_str *`.
    fileprivate var borrowed: [UInt8]? {
        switch self {
        case .str(let bytes), .bytes(let bytes), .json(let bytes): bytes
        default: nil
        }
    }
}

extension ActionType {
    /// `TROVE_T_*`.
    var number: UInt32 {
        switch self {
        case .bool: UInt32(TROVE_T_BOOL)
        case .i32: UInt32(TROVE_T_I32)
        case .i64: UInt32(TROVE_T_I64)
        case .u64: UInt32(TROVE_T_U64)
        case .f64: UInt32(TROVE_T_F64)
        case .str: UInt32(TROVE_T_STR)
        case .bytes: UInt32(TROVE_T_BYTES)
        case .json: UInt32(TROVE_T_JSON)
        }
    }
}
