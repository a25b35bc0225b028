// SPDX-License-Identifier: Apache-2.0

import Model

/// What goes into a placeholder and comes out of a column.
enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case double(Double)
    case text(String)

    init(_ value: Int?) { self = value.map { .int(Int64($0)) } ?? .null }
    init(_ value: Int64?) { self = value.map(SQLValue.int) ?? .null }
    init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }

    /// Microseconds since 1970, so that comparing is exact.
    init(_ value: Timestamp?) { self.init(value?.microseconds) }

    /// Compact JSON text.
    init(_ value: JSONValue?) { self.init(value?.text) }

    /// Text that a machine wrote, such as an engine's error: zero bytes, which a driver may refuse, become U+FFFD, and what is
    /// longer than `limit` code points is cut.
    static func message(_ text: String?, limit: Int = .max) -> SQLValue {
        guard let text else { return .null }
        let scalars = text.unicodeScalars.prefix(limit).map { $0.value == 0 ? "\u{FFFD}" : $0 }
        return .text(String(String.UnicodeScalarView(scalars)))
    }

    /// A JSON array of texts, for `IN (…)` lists of any length within one statement.
    static func list(_ texts: [String]) -> SQLValue { .init(JSONValue.array(texts.map(JSONValue.string))) }

    /// A JSON array of integers.
    static func list(_ integers: [Int]) -> SQLValue { .init(JSONValue.array(integers.map { .int(Int64($0)) })) }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .int(value) }
    init(nilLiteral: ()) { self = .null }
}
