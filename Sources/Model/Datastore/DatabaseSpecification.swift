// SPDX-License-Identifier: Apache-2.0

/// A database (schema) to make on an instance. Bus form: `{"_name", "_character_set", "_collate"}`.
package struct DatabaseSpecification: Sendable, Hashable {
    package var name: String
    package var characterSet: String?
    package var collate: String?

    package init(name: String, characterSet: String? = nil, collate: String? = nil) {
        self.name = name
        self.characterSet = characterSet
        self.collate = collate
    }

    /// The document of the bus and of the plugin boundary: `{"name", "character_set"?, "collate"?}`.
    package var json: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name)]
        if let characterSet { members["character_set"] = .string(characterSet) }
        if let collate { members["collate"] = .string(collate) }
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.stringValue else { return nil }
        self.init(
            name: name,
            characterSet: json["character_set"]?.stringValue,
            collate: json["collate"]?.stringValue
        )
    }
}

/// A database user to make on an instance: `{"name", "password", "host"?, "databases": [{"name"}]}`.
package struct UserSpecification: Sendable, Hashable {
    package var name: String
    package var password: Secret
    package var host: String?
    package var databases: [String]

    package init(name: String, password: Secret, host: String? = nil, databases: [String] = []) {
        self.name = name
        self.password = password
        self.host = host
        self.databases = databases
    }

    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "password": .string(password.revealed),
            "databases": .array(databases.map { ["name": .string($0)] }),
        ]
        if let host { members["host"] = .string(host) }
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let name = json["name"]?.stringValue, let password = json["password"]?.stringValue else { return nil }
        self.init(
            name: name,
            password: Secret(password),
            host: json["host"]?.stringValue,
            databases: (json["databases"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        )
    }
}
