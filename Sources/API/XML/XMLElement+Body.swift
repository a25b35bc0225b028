// SPDX-License-Identifier: Apache-2.0

import Model

extension XMLElement {
    /// Elements that are lists whatever a route declares. Source: XML representation §4 and, for all but two, §6.
    private static let lists: Set<String> = [
        "databases", "users", "nics", "instances", "modules", "grow", "shrink", "allowed_cidrs",
    ]

    /// The document `{name: value}` of a body's root.
    ///
    /// - Parameter shape: Of the whole document.
    func document(_ shape: BodyShape) -> JSONValue { .object([name: value(shape.member(name))]) }

    /// A text, a list, or an object of attributes and children, of which the last of a name counts.
    ///
    /// Source: XML representation §4.
    private func value(_ shape: BodyShape) -> JSONValue {
        if let text { return shape.value(text) }
        if let element = shape.element { return .array(children.map { $0.value(element) }) }
        if Self.lists.contains(name) { return .array(children.map { $0.value(.any) }) }
        if children.isEmpty, attributes.isEmpty { return shape.emptyValue }
        var members: [String: JSONValue] = [:]
        for attribute in attributes { members[attribute.name] = shape.member(attribute.name).value(attribute.value) }
        for child in children { members[child.name] = child.value(shape.member(child.name)) }
        return .object(members)
    }
}
