// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

enum Datastores: Collection {
    static let resource = Resource.datastore
}

enum Flavors: Collection {
    static let resource = Resource.flavor
}

/// Versions of a datastore.
struct DatastoreVersionCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "version", "Show the versions of a datastore.",
        [ListVersionsCommand.self, ShowVersionCommand.self])
}

struct ListVersionsCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List a datastore's versions.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The datastore's id or name.") var datastore: String

    func perform(_ client: ServiceClient) throws {
        output.printer.list(
            try client.items("/datastores/\(PathText.escaped(datastore))/versions", "versions"),
            [Column("ID", "id"), Column("Name", "name"), Column("Version", "version")])
    }
}

struct ShowVersionCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a version of a datastore.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: VersionArguments

    func perform(_ client: ServiceClient) throws {
        output.printer.object(try client.send("GET", of.path).body?["version"] ?? [:])
    }
}

/// A tenant's commands about flavors.
struct FlavorCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "flavor", "Show the flavors that instances may have.",
        [ListCommand<Flavors, FlavorFilter>.self, ShowCommand<Flavors>.self])
}

struct FlavorFilter: ListFilter {
    @Option(
        help: ArgumentHelp("List those that this datastore may have; with --datastore-version.", valueName: "datastore")
    )
    var datastore: String?
    @Option(help: ArgumentHelp("The datastore version's id.", valueName: "id")) var datastoreVersion: String?

    func validate() throws {
        guard (datastore == nil) == (datastoreVersion == nil) else {
            throw ValidationError("--datastore and --datastore-version go together")
        }
    }

    func path(_ resource: Resource, _ client: ServiceClient) -> String {
        guard let datastore, let datastoreVersion else { return resource.path }
        return "/datastores/\(PathText.escaped(datastore))/versions/\(PathText.member(datastoreVersion))/flavors"
    }
}
