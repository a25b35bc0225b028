// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// A user in a body: `{"name", "password", "host"?, "databases"?: [{"name"}]}`.
struct NewUser {
    var id: UserID
    var password: String
    var databases: [String]
}

/// A database in a body: `{"name", "character_set"?, "collate"?}`.
struct NewDatabase {
    var name: String
    var characterSet: String?
    var collate: String?
}

/// Reads the bodies of these routes.
enum Bodies {
    /// `{"databases": [database]}`; also `{"database": database}`, which one of the public clients sends.
    static func databases(_ request: APIRequest) throws -> [NewDatabase] {
        let body = try object(request)
        var validation = Validation()
        var items: [JSON] = []
        if body["databases"] == nil, let single = body["database"], single.objectValue != nil {
            items = [single]
        } else if let value = validation.required(body, "databases") {
            items = validation.list(listed(value), at: "databases")
        }
        let databases = items.enumerated().map { index, item in
            let path = "databases[\(index)]"
            guard validation.object(item, at: path) else { return NewDatabase(name: "") }
            return NewDatabase(
                name: validation.text(item, "name", .name, at: path),
                characterSet: validation.optionalText(item, "character_set", .name, at: path),
                collate: validation.optionalText(item, "collate", .name, at: path))
        }
        try validation.finish()
        return databases
    }

    /// `{"users": [user]}`; also one user for the list, which one of the public clients sends.
    static func users(_ request: APIRequest) throws -> [NewUser] {
        let body = try object(request)
        var validation = Validation()
        var items: [JSON] = []
        if let value = validation.required(body, "users") {
            items = validation.list(listed(value), at: "users")
        }
        let users = items.enumerated().map { index, item in
            let path = "users[\(index)]"
            guard validation.object(item, at: path) else {
                return NewUser(id: UserID(name: "", host: nil), password: "", databases: [])
            }
            let name = validation.text(item, "name", .userName, at: path)
            let host = validation.optionalText(item, "host", .host, at: path)
            return NewUser(
                id: UserID(name: name, host: host), password: validation.text(item, "password", .name, at: path),
                databases: item["databases"].map { validation.databaseNames($0, at: "\(path)['databases']") } ?? [])
        }
        try validation.finish()
        return users
    }

    /// `{"user": {"name"?, "password"?, "host"?}}` with one of them at least.
    static func userUpdate(_ request: APIRequest) throws -> (name: String?, host: String?, password: String?) {
        let body = try object(request)
        var validation = Validation()
        guard let user = validation.required(body, "user"), validation.object(user, at: "user") else {
            try validation.finish()
            throw Faults.badRequest("Validation error: 'user' is a required property")
        }
        let name = validation.optionalText(user, "name", .userName, at: "user")
        let host = validation.optionalText(user, "host", .host, at: "user")
        let password = validation.optionalText(user, "password", .name, at: "user")
        try validation.finish()
        guard name != nil || host != nil || password != nil else {
            throw Faults.badRequest("Validation error: user \(Python.text(user)) does not have enough properties")
        }
        return (name, host, password)
    }

    /// `{"databases": [{"name"}]}`.
    static func access(_ request: APIRequest) throws -> [String] {
        let body = try object(request)
        var validation = Validation()
        let value = validation.required(body, "databases")
        let names = value.map { validation.databaseNames($0, at: "databases") } ?? []
        try validation.finish()
        return names
    }

    /// Nothing, `{}` or `{"password": text}`.
    static func rootPassword(_ request: APIRequest) throws -> String? {
        guard let body = request.body else { return nil }
        var validation = Validation()
        guard body.objectValue != nil else {
            throw Faults.badRequest("Validation error: \(Python.text(body)) is not of type 'object'")
        }
        guard let value = body["password"], !value.isNull else { return nil }
        let password = validation.text(["password": value], "password", .name, at: "")
        try validation.finish()
        return password
    }

    private static func object(_ request: APIRequest) throws -> JSON {
        guard let body = request.body else { throw Faults.badRequest("The request needs a body.") }
        guard body.objectValue != nil else {
            throw Faults.badRequest("Validation error: \(Python.text(body)) is not of type 'object'")
        }
        return body
    }

    private static func listed(_ value: JSON) -> JSON { value["name"] == nil ? value : .array([value]) }
}
