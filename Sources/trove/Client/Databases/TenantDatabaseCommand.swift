// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// The databases of an instance; the state database is `trove db`.
struct TenantDatabaseCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "database", "Make, list and delete databases of an instance.",
        [ListDatabasesCommand.self, CreateDatabaseCommand.self, DeleteDatabaseCommand.self])
}

struct ListDatabasesCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List an instance's databases.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        output.printer.list(try client.items("/instances/\(id)/databases", "databases"), [Column("Name", "name")])
    }
}

struct CreateDatabaseCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make databases in an instance.")

    @Option(help: ArgumentHelp("Their character set.", valueName: "name")) var characterSet: String?
    @Option(help: ArgumentHelp("Their collation.", valueName: "name")) var collate: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "Names of the databases.") var names: [String]

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        let databases = names.map { name in
            BodyText.object([
                "name": .string(name), "character_set": BodyText.string(characterSet),
                "collate": BodyText.string(collate),
            ])
        }
        _ = try client.send(
            "POST", "/instances/\(id)/databases", ["databases": .array(databases)], limit: .seconds(120))
        for name in names { output.printer.note("database \(name): made") }
    }
}

struct DeleteDatabaseCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete databases of an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "Names of the databases.") var names: [String]

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        for name in names {
            _ = try client.send(
                "DELETE", "/instances/\(id)/databases/" + PathText.member(name), limit: .seconds(120))
            output.printer.note("database \(name): deleted")
        }
    }
}
