// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Identity
import Model

/// Users of instances; and those of the built-in identity are added here too.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Make, change and list users of an instance; add users to the built-in identity.",
        subcommands: [
            ListDatabaseUsersCommand.self, CreateDatabaseUserCommand.self, ShowDatabaseUserCommand.self,
            DeleteDatabaseUserCommand.self, UpdateDatabaseUserCommand.self, GrantAccessCommand.self,
            RevokeAccessCommand.self, AddUserCommand.self,
        ]
    )
}

/// Adds a user (and its project, if it is new); the password is read from standard input.
struct AddUserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a user and its project to the built-in identity; the password is read from standard input.",
        discussion: "A running control plane knows the user at its first login."
    )

    @OptionGroup var home: HomeOption

    @Option(help: "The user's project; made if it is new.")
    var project: String

    @Option(help: "A role; may be given several times.")
    var role: [String] = ["member"]

    @Argument(help: "The user's name.")
    var name: String

    func run() throws {
        guard let password = readLine(strippingNewline: true), !password.isEmpty else {
            throw ValidationError("no password on standard input")
        }
        let home = home.home
        do {
            guard Files.exists(home.secrets) else {
                throw StartError("\(home.path) is not a control plane's home; 'trove serve' makes one")
            }
            let identity = IdentityAdministration(
                directory: home.secrets, random: SystemRandomSource(), clock: SystemWallClock()
            )
            try add(Secret(password), to: identity)
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        } catch let error as IdentityError {
            Output.error(error.message)
            throw ExitCode(1)
        }
        Output.line("user \(name) added to project \(project)")
    }

    private func add(_ password: Secret, to identity: IdentityAdministration) throws(IdentityError) {
        do {
            try identity.addUser(name: name, password: password, project: project, roles: role)
        } catch  where error.code == .notFound {
            try identity.addProject(name: project)
            try identity.addUser(name: name, password: password, project: project, roles: role)
        }
    }
}
