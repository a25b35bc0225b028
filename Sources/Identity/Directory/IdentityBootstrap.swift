// SPDX-License-Identifier: Apache-2.0

package import Model

/// One user's way in.
package struct ClientCredentials: Sendable, Hashable {
    package var userName: String
    package var password: Secret
    package var projectName: String
}

/// What the first start makes up.
package struct BootstrapCredentials: Sendable, Hashable {
    package var member: ClientCredentials
    package var administrator: ClientCredentials
}

/// The first start: projects, users and passwords; blocking.
struct IdentityBootstrap {
    static let credentialsName = "credentials.json"

    let file: IdentityFile
    let random: any RandomSource

    /// Makes the directory unless there is one.
    ///
    /// - Returns: The directory, and the passwords when they were made now.
    func run() throws(IdentityError) -> (IdentityDirectory, BootstrapCredentials?) {
        if let directory = try file.load() { return (directory, nil) }
        return try file.edit { directory throws(IdentityError) -> (IdentityDirectory, BootstrapCredentials?) in
            if let directory { return (directory, nil) }
            let credentials = BootstrapCredentials(
                member: ClientCredentials(userName: "demo", password: random.password(), projectName: "demo"),
                administrator: ClientCredentials(userName: "admin", password: random.password(), projectName: "admin"))
            let made = try make(credentials)
            // First the passwords: without an identity file the next start begins again.
            try Self.save(credentials, in: file.files)
            directory = made
            return (made, credentials)
        }
    }

    private func make(_ credentials: BootstrapCredentials) throws(IdentityError) -> IdentityDirectory {
        var directory = IdentityDirectory()
        let demo = IdentityProject(id: random.bytes(16).hex, name: credentials.member.projectName)
        let admin = IdentityProject(id: random.bytes(16).hex, name: credentials.administrator.projectName)
        try directory.save(demo)
        try directory.save(admin)
        try directory.save(
            IdentityUser(
                id: random.bytes(16).hex, name: credentials.member.userName,
                password: try PasswordHash(of: credentials.member.password, random: random),
                roles: [demo.id: ["member", "reader"]]))
        let all: Set<String> = ["admin", "member", "reader"]
        try directory.save(
            IdentityUser(
                id: random.bytes(16).hex, name: credentials.administrator.userName,
                password: try PasswordHash(of: credentials.administrator.password, random: random),
                roles: [admin.id: all, demo.id: all]))
        return directory
    }

    static func save(_ credentials: BootstrapCredentials, in files: PrivateFiles) throws(IdentityError) {
        func json(_ one: ClientCredentials) -> JSONValue {
            [
                "username": .string(one.userName), "password": .string(one.password.revealed),
                "project_name": .string(one.projectName),
            ]
        }
        let document: JSONValue = [
            "member": json(credentials.member), "administrator": json(credentials.administrator),
        ]
        try files.write(credentialsName, document.serialized)
    }

    /// `nil` when an operator removed the file.
    static func load(from files: PrivateFiles) throws(IdentityError) -> BootstrapCredentials? {
        guard let content = try files.read(credentialsName) else { return nil }
        guard let document = try? JSONValue(parsing: content), let member = credentials(document["member"]),
            let administrator = credentials(document["administrator"])
        else { throw IdentityError(.files, "\(files.path(credentialsName)) is malformed; remove it or restore it.") }
        return BootstrapCredentials(member: member, administrator: administrator)
    }

    private static func credentials(_ json: JSONValue?) -> ClientCredentials? {
        guard let user = json?["username"]?.stringValue, let password = json?["password"]?.stringValue,
            let project = json?["project_name"]?.stringValue
        else { return nil }
        return ClientCredentials(userName: user, password: Secret(password), projectName: project)
    }
}
