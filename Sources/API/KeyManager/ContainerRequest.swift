// SPDX-License-Identifier: Apache-2.0

import KeyManager
import Model
import StateStore

/// A container as a client wants it, checked as Barbican checks it. Source: Barbican 23, `ContainerValidator`.
struct ContainerRequest: Sendable {
    private static let types = ["generic", "rsa", "certificate"]
    private static let largest = 100
    /// Names that must be there, and that may be there, by type.
    private static let names: [String: (required: [String], optional: [String])] = [
        "rsa": (["public_key", "private_key"], ["private_key_passphrase"]),
        "certificate": (["certificate"], ["private_key", "private_key_passphrase", "intermediates"]),
    ]

    var name: String?
    var type: String
    var members: [SecretContainerRecord.Member]

    /// - Parameter base: Where secrets are, with `/v1`.
    init(_ body: JSONValue, base: String) throws(KeyManagerFault) {
        let fields = KeyManagerFields(body, of: "Container")
        try fields.requireObject()
        name = try fields.text("name").map { $0.trimmingWhitespace }
        guard let type = try fields.text("type"), Self.types.contains(type) else {
            throw fields.fault("type", "must be one of \(Self.types)")
        }
        self.type = type
        members = []
        guard let list = body["secret_refs"], !list.isNull else { return }
        guard let items = list.arrayValue, items.count <= Self.largest else {
            throw fields.fault("secret_refs", "must be an array of at most \(Self.largest) references")
        }
        for item in items { members.append(try Self.member(item, base: base)) }
        guard Set(members.map { $0.name ?? "" }).count == members.count else {
            throw fields.fault("secret_refs", "has duplicate names")
        }
        guard Set(members.map(\.secretID)).count == members.count else {
            throw fields.fault("secret_refs", "has duplicate secrets")
        }
        guard !members.isEmpty, let (required, optional) = Self.names[type] else { return }
        let given = members.map { $0.name ?? "" }
        if let missing = required.first(where: { !given.contains($0) }) {
            throw fields.fault("secret_refs", "of a container of type '\(type)' must have one named '\(missing)'")
        }
        if let unknown = given.first(where: { !(required + optional).contains($0) }) {
            throw fields.fault("secret_refs", "of a container of type '\(type)' must not have one named '\(unknown)'")
        }
    }

    private static func member(
        _ item: JSONValue, base: String
    ) throws(KeyManagerFault) -> SecretContainerRecord.Member {
        let fields = KeyManagerFields(item, of: "Container")
        try fields.requireObject()
        let name = try fields.text("name")
        guard let reference = item["secret_ref"]?.stringValue, !reference.isEmpty else {
            throw fields.fault("secret_ref", "must be a string")
        }
        guard reference.hasPrefix(base + "/"), let id = KeyReference.id(in: reference, .secrets),
            reference.lowercased().hasPrefix("\(base)/secrets/\(id)".lowercased())
        else {
            throw fields.fault("secret_ref", "must be \(base)/secrets/ID, of this key manager")
        }
        return SecretContainerRecord.Member(name: name, secretID: id)
    }
}
