// SPDX-License-Identifier: Apache-2.0

package import Model

/// A column of a table: its heading, and the member that it shows.
package struct Column: Sendable {
    package var heading: String
    /// Members of members with dots; `|` between members of which the first that is there counts.
    package var member: String

    package init(_ heading: String, _ member: String) {
        self.heading = heading
        self.member = member
    }
}

/// The API's values as text for people.
package enum CellText {
    /// The value of a column's member.
    package static func member(_ object: JSONValue, _ path: String) -> JSONValue? {
        for alternative in path.split(separator: "|") {
            var value: JSONValue? = object
            for name in alternative.split(separator: ".") { value = value?[String(name)] }
            if let value, !value.isNull { return value }
        }
        return nil
    }

    /// One value; `-` for none.
    package static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: return "-"
        case .string(let text): return text
        case .array(let items): return items.map(item).joined(separator: ", ")
        case .object(let members):
            return members.sorted { $0.key < $1.key }.map { "\($0.key)=\(text($0.value))" }.joined(separator: ", ")
        case .some(let value): return value.text
        }
    }

    /// What names an element of a list.
    private static func item(_ value: JSONValue) -> String {
        guard value.objectValue != nil else { return text(value) }
        if let address = value["address"]?.stringValue { return address }
        if let id = value["id"], value["name"] == nil { return text(id) }
        if let name = value["name"]?.stringValue, value.objectValue?.keys.contains("value") != true { return name }
        return value.text
    }

    /// Members of an object with their values, those of members with dots, sorted by name; `hidden` ones left out.
    package static func fields(_ object: JSONValue, hidden: Set<String> = ["links"]) -> [[String]] {
        fields(object, prefix: "", hidden).sorted { $0[0] < $1[0] }
    }

    private static func fields(_ object: JSONValue, prefix: String, _ hidden: Set<String>) -> [[String]] {
        (object.objectValue ?? [:]).flatMap { name, value -> [[String]] in
            if hidden.contains(name) { return [] }
            if let members = value.objectValue, !members.isEmpty {
                return fields(value, prefix: prefix + name + ".", hidden)
            }
            return [[prefix + name, text(value)]]
        }
    }
}
