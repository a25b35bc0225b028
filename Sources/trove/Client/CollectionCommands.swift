// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A collection with commands of its own.
protocol Collection {
    static var resource: Resource { get }
}

/// Options that narrow a list.
protocol ListFilter: ParsableArguments {
    /// The path and query to list, and the member that holds the items.
    func path(_ resource: Resource, _ client: ServiceClient) throws -> String
}

struct NoFilter: ListFilter {
    func path(_ resource: Resource, _ client: ServiceClient) -> String { resource.path }
}

/// `list`
struct ListCommand<Of: Collection, Filter: ListFilter>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "list", abstract: "List \(Of.resource.nouns).")
    }

    @OptionGroup var filter: Filter
    @Option(help: "List no more than these.") var limit: Int?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func perform(_ client: ServiceClient) throws {
        let path = try filter.path(Of.resource, client)
        output.printer.list(try client.items(path, Of.resource.plural, limit: limit), Of.resource.columns)
    }
}

/// `show` of what nothing has to be waited for.
struct ShowCommand<Of: Collection>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "show", abstract: "Show one of the \(Of.resource.nouns).")
    }

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Its id or name.") var name: String

    func perform(_ client: ServiceClient) throws {
        output.printer.object(try client.object(Of.resource, id: try client.id(Of.resource, name)))
    }
}

/// `show` of what operations change.
struct ShowStatusCommand<Of: Collection>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show",
            abstract: "Show one of the \(Of.resource.nouns), when its operation has ended with --wait.")
    }

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Its id or name.") var name: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(Of.resource, name)
        let final = try wait.follow(client, Of.resource, id: id, name: name)
        output.printer.object(try final ?? client.object(Of.resource, id: id))
    }
}

/// `delete`
struct DeleteCommand<Of: Collection>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "delete", abstract: "Delete \(Of.resource.nouns).")
    }

    @OptionGroup var wait: WaitOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Ids or names.") var names: [String]

    func perform(_ client: ServiceClient) throws {
        try Self.delete(client, Of.resource, names, wait) { _ in }
    }

    /// Deletes each, then waits for each; what does not exist is said before anything is deleted.
    static func delete(
        _ client: ServiceClient, _ resource: Resource, _ names: [String], _ wait: WaitOptions,
        before: (String) throws -> Void
    ) throws {
        let ids = try names.map { try client.id(resource, $0) }
        for (id, name) in zip(ids, names) {
            try before(id)
            _ = try client.send("DELETE", resource.path + "/" + PathText.escaped(id))
            Output.line(
                "\(resource.noun) \(TextWidth.visible(name)): \(resource.rule == nil ? "deleted" : "is being deleted")")
        }
        for (id, name) in zip(ids, names) {
            _ = try wait.follow(client, resource, id: id, name: name, until: .gone)
        }
    }
}

/// `delete` of what is gone at once.
struct DeleteAtOnceCommand<Of: Collection>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "delete", abstract: "Delete \(Of.resource.nouns).")
    }

    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Ids or names.") var names: [String]

    func perform(_ client: ServiceClient) throws {
        try DeleteCommand<Of>.delete(client, Of.resource, names, try WaitOptions.parse([])) { _ in }
    }
}

/// A command with subcommands alone.
enum Noun {
    static func configuration(
        _ name: String, _ abstract: String, _ subcommands: [any ParsableCommand.Type]
    ) -> CommandConfiguration {
        CommandConfiguration(commandName: name, abstract: abstract, subcommands: subcommands)
    }
}
