// SPDX-License-Identifier: Apache-2.0

import Model

/// The part of JSON-Schema draft 4 that the contract's request bodies use, with its messages.
///
/// Source: REST contract §1.6. `true` and `1.0` are not integers.
indirect enum Schema: Sendable {
    case any
    case string(minimum: Int = 0, maximum: Int? = nil, pattern: TextPattern? = nil)
    case integer(minimum: Int? = nil, maximum: Int? = nil)
    case number
    case boolean
    case null
    case enumeration([String])
    case oneOf([Schema])
    case array(of: Schema, maximum: Int? = nil, isUnique: Bool = false)
    case object([String: Schema], required: [String] = [], isClosed: Bool = false)
    /// An object of any keys.
    case map(of: Schema)
    /// One that the API's document names, and writes once.
    case named(String, Schema)
}

extension Schema {
    static let nonEmptyText = Schema.string(minimum: 1, maximum: 255, pattern: .alphanumeric)
    static let userName = Schema.string(minimum: 1, pattern: .alphanumeric)
    static let uuid = Schema.string(minimum: 1, maximum: 64, pattern: .uuid)
    static let positiveInteger = Schema.oneOf([
        .integer(minimum: 1), .string(minimum: 1, maximum: 40, pattern: .positiveInteger),
    ])
    static let zeroOrOne = Schema.integer(minimum: 0, maximum: 1)
    static let flavorReference = Schema.oneOf([.nonEmptyText, .integer()])
    static let volume = Schema.object(
        ["size": .positiveInteger, "type": .oneOf([.nonEmptyText, .null])], required: ["size"])
    static let databases = Schema.array(
        of: .object(
            ["name": .nonEmptyText, "character_set": .nonEmptyText, "collate": .nonEmptyText], required: ["name"]))
    static let users = Schema.array(
        of: .object(
            [
                "name": .userName, "password": .nonEmptyText, "host": .string(minimum: 1, pattern: .host),
                "databases": .array(of: .object(["name": .nonEmptyText], required: ["name"]), isUnique: true),
            ], required: ["name", "password"]))

    /// Throws 400 `Validation error: …` unless `body` fits.
    func validate(_ body: JSONValue) throws(APIFault) {
        let failures = failures(body, at: [])
        guard !failures.isEmpty else { return }
        let items = failures.enumerated()
            .sorted { left, right in
                left.element.path == right.element.path
                    ? left.offset < right.offset : SchemaFailure.precedes(left.element.path, right.element.path)
            }
            .map(\.element.text)
        throw APIFault(400, "Validation error: " + items.joined(separator: "; "))
    }
}

/// One thing that does not fit.
struct SchemaFailure {
    enum Step: Hashable {
        case key(String)
        case index(Int)
    }

    let path: [Step]
    let message: String
    /// Every alternative's own message, for `oneOf`.
    var alternatives: [String] = []

    /// `instance['volume']['size'] 0 is less than…; …`; without a path at the document's root.
    var text: String {
        var place = ""
        for (depth, step) in path.enumerated() {
            switch step {
            case .key(let name): place += depth == 0 ? name : "[" + JSONValue.quote(name) + "]"
            case .index(let index): place += depth == 0 ? String(index) : "[\(index)]"
            }
        }
        return ([(place.isEmpty ? "" : place + " ") + message] + alternatives).joined(separator: "; ")
    }

    static func precedes(_ left: [Step], _ right: [Step]) -> Bool {
        left.lexicographicallyPrecedes(right) { left, right in
            switch (left, right) {
            case (.key(let left), .key(let right)): left < right
            case (.index(let left), .index(let right)): left < right
            case (.key, .index): true
            case (.index, .key): false
            }
        }
    }
}
