// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Identity
import Model
import StateStore

/// Adds users to the built-in identity.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Manage users of the built-in identity.", subcommands: [AddUserCommand.self]
    )
}

/// Adds a user (and its project, if it is new); the password is read from standard input.
struct AddUserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a user and its project; the password is read from standard input.",
        discussion: "A running control plane reads the identity again on SIGHUP or at its next start."
    )

    @OptionGroup var home: HomeOption

    @Option(help: "The user's project; made if it is new.")
    var project: String

    @Option(help: "A role; may be given several times.")
    var role: [String] = ["member"]

    @Argument(help: "The user's name.")
    var name: String

    func run() async throws {
        guard let password = readLine(strippingNewline: true), !password.isEmpty else {
            throw ValidationError("no password on standard input")
        }
        let home = home.home
        do {
            let store = try SQLiteStateStore(path: home.database, logger: Log.make("user"))
            let identity = try await BuiltInIdentity(
                directory: home.secrets, store: store, region: "RegionOne", clock: SystemWallClock(),
                random: SystemRandomSource(), logger: Log.make("user")
            )
            try await identity.addUser(name: name, password: Secret(password), project: project, roles: role)
            await store.close()
        } catch let error as StateStoreError {
            Output.error(error.message)
            throw ExitCode(1)
        } catch let error as IdentityError {
            Output.error(error.message)
            throw ExitCode(1)
        }
        Output.line("user \(name) added to project \(project)")
    }
}
