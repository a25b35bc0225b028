// SPDX-License-Identifier: Apache-2.0

import Model

/// A project of the one domain.
struct IdentityProject: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits.
    var id: String
    var name: String
    var isEnabled = true
}

/// A user of the one domain.
struct IdentityUser: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits.
    var id: String
    var name: String
    var password: PasswordHash
    var isEnabled = true
    /// Tokens issued before are worth nothing: when the password was changed last.
    var tokensFrom = Timestamp(microseconds: 0)
    /// Role names by project id.
    var roles: [String: Set<String>] = [:]
}

/// Everybody this service knows: a value, read from and written to `identity.json`.
struct IdentityDirectory: Sendable, Hashable {
    static let domainID = "default"
    static let domainName = "Default"

    private(set) var projects: [String: IdentityProject] = [:]
    private(set) var users: [String: IdentityUser] = [:]
    private var projectIDs: [String: String] = [:]
    private var userIDs: [String: String] = [:]

    func project(named name: String) -> IdentityProject? { projectIDs[name].flatMap { projects[$0] } }

    func user(named name: String) -> IdentityUser? { userIDs[name].flatMap { users[$0] } }

    /// The enabled projects where the user has a role, by name.
    func projects(of user: IdentityUser) -> [IdentityProject] {
        user.roles.filter { !$0.value.isEmpty }.compactMap { projects[$0.key] }.filter(\.isEnabled)
            .sorted { $0.name < $1.name }
    }

    /// The user's role names on an enabled project, ascending; empty without any.
    func roles(of user: IdentityUser, on projectID: String) -> [String] {
        guard projects[projectID]?.isEnabled == true else { return [] }
        return user.roles[projectID, default: []].sorted()
    }

    /// - Throws: `.conflict` when name or id is another project's.
    mutating func save(_ project: IdentityProject) throws(IdentityError) {
        if let owner = projectIDs[project.name], owner != project.id {
            throw IdentityError(.conflict, "There is a project named \(project.name) already.")
        }
        if let old = projects[project.id] { projectIDs[old.name] = nil }
        projects[project.id] = project
        projectIDs[project.name] = project.id
    }

    /// - Throws: `.conflict` when the name is another user's.
    mutating func save(_ user: IdentityUser) throws(IdentityError) {
        if let owner = userIDs[user.name], owner != user.id {
            throw IdentityError(.conflict, "There is a user named \(user.name) already.")
        }
        if let old = users[user.id] { userIDs[old.name] = nil }
        users[user.id] = user
        userIDs[user.name] = user.id
    }

    /// Whether a text names the one domain; names are compared without case, as the reference service's database does.
    static func isDomain(id: String?, name: String?) -> Bool {
        if let id { return id == domainID }
        return name?.lowercased() == domainName.lowercased()
    }
}
