// SPDX-License-Identifier: Apache-2.0

package import Model

/// What operators change in the identity file, from any process; a running service sees it within seconds.
///
/// Every call blocks: on the file, and a tenth of a second on each new password.
package struct IdentityAdministration: Sendable {
    private let file: IdentityFile
    private let random: any RandomSource
    private let clock: any WallClock

    /// - Parameter directory: The secrets directory of a service that was started once.
    package init(
        directory: String, random: any RandomSource = SystemRandomSource(), clock: any WallClock = SystemWallClock()
    ) {
        file = IdentityFile(files: PrivateFiles(directory: directory))
        self.random = random
        self.clock = clock
    }

    /// Adds a project.
    ///
    /// - Returns: Its id.
    /// - Throws: `.badRequest`, `.conflict`, `.files`.
    @discardableResult
    package func addProject(name: String) throws(IdentityError) -> String {
        try Self.check(name: name, of: "project")
        return try edit { directory throws(IdentityError) -> String in
            let project = IdentityProject(id: random.bytes(16).hex, name: name)
            try directory.save(project)
            return project.id
        }
    }

    /// Adds a user with roles on one project.
    ///
    /// - Parameters:
    ///   - name: 1…255 printable characters.
    ///   - password: 1…4096 bytes.
    ///   - project: Name or id of a project.
    ///   - roles: Role names; `admin` may do everything, everywhere.
    /// - Returns: The user's id.
    /// - Throws: `.badRequest`, `.notFound` without such a project, `.conflict`, `.files`.
    @discardableResult
    package func addUser(
        name: String, password: Secret, project: String, roles: [String]
    ) throws(IdentityError) -> String {
        try Self.check(name: name, of: "user")
        try Self.check(roles: roles)
        let hash = try PasswordHash(of: password, random: random)
        return try edit { directory throws(IdentityError) -> String in
            let project = try Self.project(project, in: directory)
            let user = IdentityUser(
                id: random.bytes(16).hex, name: name, password: hash, roles: [project.id: Set(roles)])
            try directory.save(user)
            return user.id
        }
    }

    /// Gives a user exactly these roles on a project; none takes them all.
    ///
    /// - Throws: `.badRequest`, `.notFound`, `.files`.
    package func setRoles(_ roles: [String], user: String, project: String) throws(IdentityError) {
        try Self.check(roles: roles)
        try edit { directory throws(IdentityError) in
            var found = try Self.user(user, in: directory)
            let project = try Self.project(project, in: directory)
            found.roles[project.id] = roles.isEmpty ? nil : Set(roles)
            try directory.save(found)
        }
    }

    /// Changes a password and ends the tokens that were issued before.
    ///
    /// - Throws: `.badRequest`, `.notFound`, `.files`.
    package func setPassword(_ password: Secret, user: String) throws(IdentityError) {
        let hash = try PasswordHash(of: password, random: random)
        try edit { directory throws(IdentityError) in
            var found = try Self.user(user, in: directory)
            found.password = hash
            found.tokensFrom = clock.now
            try directory.save(found)
            guard var credentials = try IdentityBootstrap.load(from: file.files) else { return }
            if credentials.member.userName == found.name { credentials.member.password = password }
            if credentials.administrator.userName == found.name { credentials.administrator.password = password }
            try IdentityBootstrap.save(credentials, in: file.files)
        }
    }

    /// Locks a user out, tokens included, or lets it in again.
    ///
    /// - Throws: `.notFound`, `.files`.
    package func setEnabled(_ isEnabled: Bool, user: String) throws(IdentityError) {
        try edit { directory throws(IdentityError) in
            var found = try Self.user(user, in: directory)
            found.isEnabled = isEnabled
            try directory.save(found)
        }
    }

    private func edit<Value>(
        _ body: (inout IdentityDirectory) throws(IdentityError) -> Value
    ) throws(IdentityError) -> Value {
        try file.edit { directory throws(IdentityError) -> Value in
            guard var present = directory else {
                throw IdentityError(.files, "There is no identity file yet; start the service once.")
            }
            let value = try body(&present)
            directory = present
            return value
        }
    }

    private static func user(_ name: String, in directory: IdentityDirectory) throws(IdentityError) -> IdentityUser {
        guard let user = directory.user(named: name) ?? directory.users[name] else {
            throw IdentityError(.notFound, "There is no user \(name).")
        }
        return user
    }

    private static func project(
        _ name: String, in directory: IdentityDirectory
    ) throws(IdentityError) -> IdentityProject {
        guard let project = directory.project(named: name) ?? directory.projects[name] else {
            throw IdentityError(.notFound, "There is no project \(name); add it first.")
        }
        return project
    }

    private static func check(name: String, of kind: String) throws(IdentityError) {
        let isPrintable = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        guard (1...255).contains(name.count), isPrintable else {
            throw IdentityError(.badRequest, "A \(kind) name has 1 to 255 printable characters.")
        }
    }

    private static func check(roles: [String]) throws(IdentityError) {
        for role in roles {
            let isPlain = role.utf8.allSatisfy {
                Unicode.Scalar($0).properties.isAlphabetic || $0 == 0x2D || $0 == 0x5F
            }
            guard !role.isEmpty, role.utf8.count <= 64, isPlain else {
                throw IdentityError(.badRequest, "A role name is letters, '-' and '_'.")
            }
        }
    }
}
