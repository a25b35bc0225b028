// SPDX-License-Identifier: Apache-2.0

/// One database: `database`.
public struct DatabaseDocument: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its character set; `nil` for the engine's default.
    public var characterSet: String?
    /// Its collation; `nil` for the character set's default.
    public var collate: String?

    /// A database of that name.
    public init(name: String, characterSet: String? = nil, collate: String? = nil) {
        self.name = name
        self.characterSet = characterSet
        self.collate = collate
    }

    /// Reads the document.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming the member.
    public init(_ json: JSON) throws {
        self.init(
            name: try json.text("name"), characterSet: try json.optionalText("character_set"),
            collate: try json.optionalText("collate"))
    }

    var json: JSON {
        .members([
            "name": .string(name), "character_set": characterSet.map(JSON.string),
            "collate": collate.map(JSON.string),
        ])
    }
}

/// Which account is meant: a name and where it logs in from.
public struct UserKey: Sendable, Hashable {
    /// The user's name.
    public var name: String
    /// The host pattern it logs in from.
    public var host: String

    /// A name and a host; `%` without one.
    public init(name: String, host: String? = nil) {
        self.name = name
        self.host = host ?? "%"
    }

    /// Reads `name` and `host` of a document.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming the member.
    public init(_ json: JSON) throws {
        self.init(name: try json.text("name"), host: try json.optionalText("host"))
    }

    /// The form in markers: `name@host`.
    public var text: String { "\(name)@\(host)" }
}

/// A user to make: `user`.
public struct UserDocument: Sendable, Hashable {
    /// Name and host.
    public var key: UserKey
    /// Secret.
    public var password: String
    /// Names of the databases that it gets access to.
    public var databases: [String]

    /// Reads the document.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming the member.
    public init(_ json: JSON) throws {
        key = try UserKey(json)
        password = try json.text("password")
        databases = try (json["databases"]?.arrayValue ?? []).map { try $0.text("name") }
    }
}

/// A user as it is shown: `user-view`.
public struct UserView: Sendable, Hashable {
    /// Name and host.
    public var key: UserKey
    /// Names of the databases that it has access to.
    public var databases: [String]

    /// A user with access to `databases`.
    public init(key: UserKey, databases: [String]) {
        self.key = key
        self.databases = databases
    }

    var json: JSON {
        [
            "name": .string(key.name), "host": .string(key.host),
            "databases": .array(databases.map { ["name": .string($0)] }),
        ]
    }
}

/// A change of a user: `user-update`. What is `nil` stays.
public struct UserUpdate: Sendable {
    /// Which user.
    public var key: UserKey
    /// The name it gets.
    public var newName: String?
    /// The host it gets.
    public var newHost: String?
    /// The password it gets. Secret.
    public var newPassword: String?

    init(_ json: JSON) throws {
        key = try UserKey(json)
        newName = try json.optionalText("new_name")
        newHost = try json.optionalText("new_host")
        newPassword = try json.optionalText("new_password")
    }
}

/// Which part of a collection is wanted: `page-request`.
public struct PageRequest: Sendable {
    /// The most items; `nil` for all.
    public var limit: Int?
    /// Where to begin.
    public var marker: String?
    /// Whether the marker's own item is part of the page.
    public var includesMarker: Bool

    init(_ json: JSON) throws {
        limit = json["limit"]?.intValue
        if let limit, limit < 1 { throw PluginFailure(.invalidArgument, "the member 'limit' must be 1 or more") }
        marker = try json.optionalText("marker")
        includesMarker = json["include_marker"]?.boolValue ?? false
    }
}

/// One page of a collection and where the next one begins.
public struct Page<Item> {
    /// The items, in order.
    public var items: [Item]
    /// Marker of the last item if there are more; `nil` at the end.
    public var next: String?

    /// A page.
    public init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}
