// SPDX-License-Identifier: Apache-2.0

import Model

extension IdentityDirectory {
    /// `{"format": 1, "projects": [{id, name, enabled}], "users": [{id, name, enabled, password: {…}, roles: {project id: [name]}}]}`.
    var json: JSONValue {
        [
            "format": 1,
            "projects": .array(
                projects.values.sorted { $0.name < $1.name }.map { project in
                    ["id": .string(project.id), "name": .string(project.name), "enabled": .bool(project.isEnabled)]
                }),
            "users": .array(
                users.values.sorted { $0.name < $1.name }.map { user in
                    [
                        "id": .string(user.id), "name": .string(user.name), "enabled": .bool(user.isEnabled),
                        "password": user.password.json, "tokens_from": .int(user.tokensFrom.microseconds),
                        "roles": .object(user.roles.mapValues { .array($0.sorted().map(JSONValue.string)) }),
                    ]
                }),
        ]
    }

    /// - Throws: `.files` naming what does not fit.
    init(json: JSONValue) throws(IdentityError) {
        guard json["format"] == 1 else {
            throw IdentityError(.files, "The identity file is of a newer format than this program knows.")
        }
        self.init()
        for item in json["projects"]?.arrayValue ?? [] {
            guard let id = item["id"]?.stringValue, TokenPayload.bytes(id: id) != nil,
                let name = item["name"]?.stringValue
            else { throw IdentityError(.files, "A project in the identity file has no id or no name.") }
            try save(IdentityProject(id: id, name: name, isEnabled: item["enabled"]?.boolValue ?? true))
        }
        for item in json["users"]?.arrayValue ?? [] { try save(Self.user(item)) }
    }

    private static func user(_ item: JSONValue) throws(IdentityError) -> IdentityUser {
        guard let id = item["id"]?.stringValue, TokenPayload.bytes(id: id) != nil,
            let name = item["name"]?.stringValue, let password = item["password"].flatMap(PasswordHash.init(json:))
        else { throw IdentityError(.files, "A user in the identity file has no id, name or password hash.") }
        var user = IdentityUser(id: id, name: name, password: password)
        user.isEnabled = item["enabled"]?.boolValue ?? true
        user.tokensFrom = Timestamp(microseconds: Int64(item["tokens_from"]?.intValue ?? 0))
        for (projectID, names) in item["roles"]?.objectValue ?? [:] {
            user.roles[projectID] = Set(names.arrayValue?.compactMap(\.stringValue) ?? [])
        }
        return user
    }
}
