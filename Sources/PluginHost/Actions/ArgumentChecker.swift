// SPDX-License-Identifier: Apache-2.0

package import Model

/// Why arguments do not fit an action. The message names the argument, and never has a value that was given.
package struct ArgumentProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Empty when it is about all of them.
    package var argument: String
    package var message: String

    package var description: String { argument.isEmpty ? message : "argument '\(argument)' \(message)" }
}

extension ActionDeclaration {
    /// The values in the order of the declaration.
    ///
    /// - Parameter object: A JSON object. `null` for an optional argument that is no `json` means that it is absent.
    /// - Throws: `ArgumentProblem` for the first argument that is missing, unknown or does not fit.
    package func values(_ object: JSONValue) throws(ArgumentProblem) -> [ActionValue] {
        guard let members = object.objectValue else {
            throw ArgumentProblem(argument: "", message: "the arguments must be an object")
        }
        if let stranger = members.keys.filter({ name in !arguments.contains { $0.name == name } }).min() {
            let known = arguments.isEmpty ? "it has none" : "it has " + arguments.map(\.name).joined(separator: ", ")
            throw ArgumentProblem(argument: Self.shown(stranger), message: "is not one of action '\(name)': \(known)")
        }
        var values: [ActionValue] = []
        for argument in arguments { values.append(try argument.value(members[argument.name])) }
        return values
    }

    /// A name that came from outside, short and on one line.
    private static func shown(_ name: String) -> String {
        let scalars = name.unicodeScalars.prefix(64).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) }
        return String(scalars) + (name.unicodeScalars.count > 64 ? "…" : "")
    }
}

extension ActionArgument {
    /// One argument's value, checked; the default or `absent` without one.
    package func value(_ given: JSONValue?) throws(ArgumentProblem) -> ActionValue {
        guard let given, type == .json || !(given.isNull && isOptional) else {
            if let defaultValue { return try typed(defaultValue) }
            guard isOptional else { throw problem("is missing") }
            return .absent
        }
        let value = try typed(given)
        try checkSize(value)
        try checkRange(value)
        guard allowed.isEmpty || allowed.contains(where: { (try? typed($0)) == value }) else {
            throw problem("must be one of \(allowed.map(\.text).joined(separator: ", "))")
        }
        return value
    }

    /// The value in its C type, without the checks that this argument adds.
    private func typed(_ value: JSONValue) throws(ArgumentProblem) -> ActionValue {
        switch type {
        case .bool:
            guard let flag = value.boolValue else { throw problem("must be true or false") }
            return .bool(flag)
        case .i32: return .i32(try integer(value))
        case .i64: return .i64(try integer(value))
        case .u64: return .u64(try integer(value))
        case .f64:
            guard let number = value.doubleValue, number.isFinite else { throw problem("must be a finite number") }
            return .f64(number)
        case .str:
            guard let text = value.stringValue else { throw problem("must be text") }
            return .str(Array(text.utf8))
        case .bytes:
            guard let text = value.stringValue, let bytes = Base64.decode(text) else {
                throw problem("must be text in base64 (RFC 4648, with padding)")
            }
            return .bytes(bytes)
        case .json: return .json(value.serialized)
        }
    }

    /// JSON integers are exact within 2^53 only; beyond they are written as text.
    private func integer<Number: FixedWidthInteger>(_ value: JSONValue) throws(ArgumentProblem) -> Number {
        let range = "between \(Number.min) and \(Number.max)"
        switch value {
        case .int(let number):
            guard number.magnitude <= 1 << 53 else {
                throw problem("is beyond 2^53: write it as text of decimal digits")
            }
            guard let number = Number(exactly: number) else { throw problem("must be \(range)") }
            return number
        case .string(let text):
            guard Self.isDecimal(text) else { throw problem("must be an integer, or its decimal digits as text") }
            guard let number = Number(text) else { throw problem("must be \(range)") }
            return number
        default: throw problem("must be an integer, or its decimal digits as text")
        }
    }

    /// `-?(0|[1-9][0-9]*)`, but not `-0`.
    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard let first = digits.first, digits.count <= 20, text != "-0" else { return false }
        return digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (digits.count == 1 || first != UInt8(ascii: "0"))
    }

    private func checkSize(_ value: ActionValue) throws(ArgumentProblem) {
        let limit = maxBytes ?? Self.defaultMaxBytes
        switch value {
        case .str(let bytes), .bytes(let bytes), .json(let bytes):
            guard bytes.count <= limit else { throw problem("must have at most \(limit) bytes") }
        default: break
        }
    }

    private func checkRange(_ value: ActionValue) throws(ArgumentProblem) {
        if let minimum, Self.precedes(value, minimum) { throw problem("must be at least \(minimum.text)") }
        if let maximum, Self.exceeds(value, maximum) { throw problem("must be at most \(maximum.text)") }
    }

    private static func precedes(_ value: ActionValue, _ bound: JSONValue) -> Bool {
        switch (value, bound) {
        case (.i32(let value), .int(let bound)): Int64(value) < bound
        case (.i64(let value), .int(let bound)): value < bound
        // Swift compares integers of different types by their mathematical value.
        case (.u64(let value), .int(let bound)): value < bound
        case (.f64(let value), _): value < (bound.doubleValue ?? -.infinity)
        default: false
        }
    }

    private static func exceeds(_ value: ActionValue, _ bound: JSONValue) -> Bool {
        switch (value, bound) {
        case (.i32(let value), .int(let bound)): Int64(value) > bound
        case (.i64(let value), .int(let bound)): value > bound
        case (.u64(let value), .int(let bound)): value > bound
        case (.f64(let value), _): value > (bound.doubleValue ?? .infinity)
        default: false
        }
    }

    private func problem(_ message: String) -> ArgumentProblem { ArgumentProblem(argument: name, message: message) }
}
