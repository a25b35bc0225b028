// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// Which user of which instance.
struct DatabaseUserArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The host that the user may come from; any without it.", valueName: "host"))
    var host: String?
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The user's name.") var user: String

    func path(_ client: ServiceClient) throws -> String {
        "/instances/\(try client.id(.instance, instance))/users/" + PathText.member(user, host: host)
    }
}

struct ListDatabaseUsersCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List an instance's users.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        output.printer.list(
            try client.items("/instances/\(id)/users", "users"),
            [Column("Name", "name"), Column("Host", "host"), Column("Databases", "databases")])
    }
}

struct CreateDatabaseUserCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a user in an instance.")

    @Option(help: ArgumentHelp("A database it may use; may be given several times.", valueName: "name"))
    var database: [String] = []
    @OptionGroup var password: PasswordOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: DatabaseUserArguments

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, of.instance)
        let user = BodyText.object([
            "name": .string(of.user), "password": .string(try password.password(of: of.user).revealed),
            "host": BodyText.string(of.host), "databases": BodyText.names(database) ?? [],
        ])
        _ = try client.send("POST", "/instances/\(id)/users", ["users": [user]], limit: .seconds(120))
        output.printer.note("user \(of.user): made")
    }
}

struct ShowDatabaseUserCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a user of an instance and the databases it may use.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: DatabaseUserArguments

    func perform(_ client: ServiceClient) throws {
        output.printer.object(try client.send("GET", try of.path(client)).body?["user"] ?? [:])
    }
}

struct DeleteDatabaseUserCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a user of an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: DatabaseUserArguments

    func perform(_ client: ServiceClient) throws {
        _ = try client.send("DELETE", try of.path(client), limit: .seconds(120))
        output.printer.note("user \(of.user): deleted")
    }
}

struct UpdateDatabaseUserCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change name, host or password of a user of an instance.")

    @Option(help: ArgumentHelp("The new name.", valueName: "name")) var newName: String?
    @Option(help: ArgumentHelp("The new host.", valueName: "host")) var newHost: String?
    @Flag(help: "Ask for a new password; --password-file means it too.") var newPassword = false
    @OptionGroup var password: PasswordOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: DatabaseUserArguments

    func validate() throws {
        guard newName != nil || newHost != nil || newPassword || password.passwordFile != nil else {
            throw ValidationError("nothing to change is given")
        }
    }

    func perform(_ client: ServiceClient) throws {
        var secret: JSONValue?
        if newPassword || password.passwordFile != nil {
            secret = .string(try password.password(of: of.user).revealed)
        }
        let change = BodyText.object([
            "name": BodyText.string(newName), "host": BodyText.string(newHost), "password": secret,
        ])
        _ = try client.send("PUT", try of.path(client), ["user": change], limit: .seconds(120))
        output.printer.note("user \(of.user): changed")
    }
}

struct GrantAccessCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Let a user of an instance use databases.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: DatabaseUserArguments
    @Argument(help: "Names of the databases.") var databases: [String]

    func perform(_ client: ServiceClient) throws {
        _ = try client.send(
            "PUT", try of.path(client) + "/databases", ["databases": BodyText.names(databases) ?? []],
            limit: .seconds(120))
        output.printer.note("user \(of.user): may use \(databases.joined(separator: ", "))")
    }
}

struct RevokeAccessCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take a database from a user of an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: DatabaseUserArguments
    @Argument(help: "The database's name.") var database: String

    func perform(_ client: ServiceClient) throws {
        _ = try client.send(
            "DELETE", try of.path(client) + "/databases/" + PathText.member(database), limit: .seconds(120))
        output.printer.note("user \(of.user): may not use \(database)")
    }
}
