// SPDX-License-Identifier: Apache-2.0

import Model

/// Typed access to one object of the configuration file; every error names the member and what it must be.
struct ConfigurationMembers {
    private let values: [String: JSONValue]
    private let prefix: String

    init(_ json: JSONValue, at name: String) throws(GuestAgentError) {
        guard let values = json.objectValue else {
            throw GuestAgentError(.configuration, "\(name.isEmpty ? "the document" : name): must be an object")
        }
        self.values = values
        prefix = name.isEmpty ? "" : name + "."
    }

    func has(_ name: String) -> Bool { present(name) != nil }

    private func present(_ name: String) -> JSONValue? { values[name].flatMap { $0.isNull ? nil : $0 } }

    private func wrong(_ name: String, _ expected: String) -> GuestAgentError {
        let what = has(name) ? "must be" : "is missing; it must be"
        return GuestAgentError(.configuration, "\(prefix)\(name): \(what) \(expected)")
    }

    func members(_ name: String) throws(GuestAgentError) -> ConfigurationMembers {
        guard let value = present(name) else { throw wrong(name, "an object") }
        return try ConfigurationMembers(value, at: prefix + name)
    }

    func object(_ name: String) throws(GuestAgentError) -> [String: JSONValue] {
        guard let value = present(name) else { return [:] }
        guard let object = value.objectValue else { throw wrong(name, "an object") }
        return object
    }

    func text(_ name: String, default fallback: String? = nil) throws(GuestAgentError) -> String {
        guard let value = present(name) ?? fallback.map(JSONValue.string), let text = value.stringValue, !text.isEmpty
        else { throw wrong(name, "a text that is not empty") }
        return text
    }

    /// Something that becomes part of file names and topics.
    func identifier(_ name: String) throws(GuestAgentError) -> String {
        let text = try text(name)
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x5F || byte == 0x2E
        }
        guard isPlain, text.utf8.count <= 64, !text.hasPrefix(".") else {
            throw wrong(name, "at most 64 letters, digits, '-', '_' and '.'")
        }
        return text
    }

    func reference(_ name: String) throws(GuestAgentError) -> String {
        let text = try text(name)
        guard !text.contains("/"), !text.hasPrefix("."), !text.hasPrefix("@") else {
            throw wrong(name, "a plugin's id, or id@version")
        }
        return text
    }

    func path(_ name: String) throws(GuestAgentError) -> String {
        let text = try text(name)
        guard text.hasPrefix("/"), !text.utf8.contains(0) else { throw wrong(name, "an absolute path") }
        return text
    }

    func boolean(_ name: String, default fallback: Bool) throws(GuestAgentError) -> Bool {
        guard let value = present(name) else { return fallback }
        guard let flag = value.boolValue else { throw wrong(name, "true or false") }
        return flag
    }

    func integer(
        _ name: String, in range: ClosedRange<Int>, default fallback: Int?
    ) throws(GuestAgentError) -> Int {
        guard let number = has(name) ? present(name)?.intValue : fallback, range.contains(number) else {
            throw wrong(name, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func integers(_ name: String, in range: ClosedRange<Int>) throws(GuestAgentError) -> [Int] {
        let expected = "a list of integers from \(range.lowerBound) to \(range.upperBound)"
        var numbers: [Int] = []
        for item in try list(name) {
            guard let number = item.intValue, range.contains(number) else { throw wrong(name, expected) }
            numbers.append(number)
        }
        return numbers
    }

    func texts(_ name: String) throws(GuestAgentError) -> [String] {
        var texts: [String] = []
        for item in try list(name) {
            guard let text = item.stringValue, !text.isEmpty else { throw wrong(name, "a list of texts") }
            texts.append(text)
        }
        return texts
    }

    func paths(_ name: String) throws(GuestAgentError) -> [String] {
        let texts = try texts(name)
        guard texts.allSatisfy({ $0.hasPrefix("/") }) else { throw wrong(name, "a list of absolute paths") }
        return texts
    }

    private func list(_ name: String) throws(GuestAgentError) -> [JSONValue] {
        guard let value = present(name) else { return [] }
        guard let items = value.arrayValue else { throw wrong(name, "a list") }
        return items
    }
}
