// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A tenant's commands about configuration groups.
struct ConfigurationCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "configuration", "Make, change and attach configuration groups.",
        [
            ListCommand<Configurations, NoFilter>.self, ShowConfigurationCommand.self,
            CreateConfigurationCommand.self, ChangeConfigurationCommand<SetValues>.self,
            ChangeConfigurationCommand<PatchValues>.self, DeleteAtOnceCommand<Configurations>.self,
            AttachConfigurationCommand.self, DetachConfigurationCommand.self, ConfigurationInstancesCommand.self,
            DefaultConfigurationCommand.self, ParameterCommand.self,
        ])
}

enum Configurations: Collection {
    static let resource = Resource.configuration
}

/// Values of parameters, as words or as a document.
struct ParameterValues: ParsableArguments {
    @Option(help: ArgumentHelp("All values as one JSON object; @FILE and - read it.", valueName: "json"))
    var values: String?
    @Argument(help: ArgumentHelp("PARAMETER=VALUE, the value as in JSON or a bare word.", valueName: "value"))
    var words: [String] = []

    func object() throws -> JSONValue {
        guard let values else { return try ParameterText.object(words) }
        guard words.isEmpty else { throw ClientError(.usage, "give values as words or as --values, not both") }
        let bytes = try ActionArgumentText.bytes(values, literalIsAllowed: true, what: "--values")
        guard let value = try? JSONValue(parsing: bytes), value.objectValue != nil else {
            throw ClientError(.usage, "--values is not a JSON object")
        }
        return value
    }
}

struct ShowConfigurationCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a configuration group and its values.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Its id or name.") var name: String

    func perform(_ client: ServiceClient) throws {
        output.printer.object(try client.object(.configuration, id: try client.id(.configuration, name)))
    }
}

struct CreateConfigurationCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a configuration group.")

    @Option(help: ArgumentHelp("The datastore's id or name.", valueName: "datastore")) var datastore: String?
    @Option(help: ArgumentHelp("The datastore version's id or name.", valueName: "version"))
    var datastoreVersion: String?
    @Option(help: ArgumentHelp("A text to find it by.", valueName: "text")) var description: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The group's name.") var name: String
    @OptionGroup var values: ParameterValues

    func perform(_ client: ServiceClient) throws {
        let body = BodyText.object([
            "name": .string(name), "values": try values.object(), "description": BodyText.string(description),
            "datastore": BodyText.datastore(datastore, datastoreVersion),
        ])
        let answer = try client.send("POST", "/configurations", ["configuration": body])
        output.printer.object(answer.body?["configuration"] ?? [:])
    }
}

/// How new values stand to the old ones.
protocol ValuesChange {
    static var name: String { get }
    static var abstract: String { get }
    static var method: String { get }
}

enum SetValues: ValuesChange {
    static let name = "set"
    static let abstract = "Replace all values of a configuration group."
    static let method = "PUT"
}

enum PatchValues: ValuesChange {
    static let name = "patch"
    static let abstract = "Set some values of a configuration group and leave the others."
    static let method = "PATCH"
}

/// `trove configuration set|patch GROUP PARAMETER=VALUE …`
struct ChangeConfigurationCommand<Change: ValuesChange>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Change.name, abstract: Change.abstract,
            discussion: "Instances that have the group get the values at once, or with their next restart.")
    }

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Its id or name.") var name: String
    @OptionGroup var values: ParameterValues

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.configuration, name)
        _ = try client.send(
            Change.method, "/configurations/\(id)", ["configuration": ["values": try values.object()]],
            limit: .seconds(240))
        output.printer.object(try client.object(.configuration, id: id))
    }
}

struct AttachConfigurationCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Attach a configuration group to an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The group's id or name.") var group: String

    func perform(_ client: ServiceClient) throws {
        let group = try client.id(.configuration, group)
        try AttachedConfiguration.set(.string(group), of: instance, client, output.printer)
    }
}

struct DetachConfigurationCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Detach the configuration group of an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        try AttachedConfiguration.set(.null, of: instance, client, output.printer)
    }
}

enum AttachedConfiguration {
    static func set(_ group: JSONValue, of instance: String, _ client: ServiceClient, _ printer: Printer) throws {
        let id = try client.id(.instance, instance)
        _ = try client.send("PUT", "/instances/\(id)", ["instance": ["configuration": group]], limit: .seconds(240))
        printer.object(try client.object(.instance, id: id))
    }
}

struct ConfigurationInstancesCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "instances", abstract: "List the instances that have a configuration group.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The group's id or name.") var name: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.configuration, name)
        output.printer.list(
            try client.items("/configurations/\(id)/instances", "instances"),
            [Column("ID", "id"), Column("Name", "name")])
    }
}

struct DefaultConfigurationCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "default", abstract: "Show the values that an instance has without a configuration group.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        let answer = try client.send("GET", "/instances/\(id)/configuration", limit: .seconds(120)).body
        output.printer.object(answer?["instance"]?["configuration"] ?? [:])
    }
}
