// SPDX-License-Identifier: Apache-2.0

/// One argument, ready for the call.
package enum ActionValue: Sendable, Hashable {
    /// Without a value: NULL for a typed action, not present for a packed one.
    case absent
    case bool(Bool)
    case i32(Int32)
    case i64(Int64)
    case u64(UInt64)
    case f64(Double)
    /// UTF-8.
    case str([UInt8])
    case bytes([UInt8])
    /// One JSON value as text.
    case json([UInt8])

    /// nil for `absent`.
    package var type: ActionType? {
        switch self {
        case .absent: nil
        case .bool: .bool
        case .i32: .i32
        case .i64: .i64
        case .u64: .u64
        case .f64: .f64
        case .str: .str
        case .bytes: .bytes
        case .json: .json
        }
    }
}
