// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A tenant's commands about modules.
struct ModuleCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "module", "Make modules, and apply them to instances.",
        [
            ListCommand<Modules, ModuleFilter>.self, ShowCommand<Modules>.self, CreateModuleCommand.self,
            DeleteAtOnceCommand<Modules>.self, ModuleInstancesCommand.self, ApplyModuleCommand.self,
            RemoveModuleCommand.self, QueryModulesCommand.self, UpdateModuleCommand.self, ReapplyModuleCommand.self,
        ])
}

enum Modules: Collection {
    static let resource = Resource.module
}

struct ModuleFilter: ListFilter {
    @Option(help: "List those for this datastore, by id or name; all is those for every one.") var datastore: String?

    func path(_ resource: Resource, _ client: ServiceClient) -> String {
        resource.path + PathText.query(["datastore": datastore])
    }
}

/// `trove module create NAME TYPE FILE`
struct CreateModuleCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a module of a file's contents.")

    @Option(help: ArgumentHelp("A text to find it by.", valueName: "text")) var description: String?
    @Option(help: ArgumentHelp("The datastore it is for, by id or name.", valueName: "datastore"))
    var datastore: String?
    @Option(help: ArgumentHelp("The datastore version it is for, by id or name.", valueName: "version"))
    var datastoreVersion: String?
    @Option(help: ArgumentHelp("Modules of a lower number are applied first.", valueName: "0-9")) var applyOrder: Int?
    @Flag(help: "Apply it to every new instance; for administrators.") var autoApply = false
    @Flag(help: "Offer it to all projects; for administrators.") var allTenants = false
    @Flag(help: "Hide it; for administrators.") var hidden = false
    @Flag(help: "Apply it before all others; for administrators.") var priorityApply = false
    @Flag(help: "It may be changed while it is applied.") var liveUpdate = false
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The module's name.") var name: String
    @Argument(help: "The module's type.") var type: String
    @Argument(help: "The file with its contents; - is standard input.") var file: String

    func perform(_ client: ServiceClient) throws {
        let contents = try ModuleContents.read(file)
        func flag(_ isSet: Bool) -> JSONValue? { isSet ? 1 : nil }
        let body = BodyText.object([
            "name": .string(name), "module_type": .string(type), "contents": contents,
            "description": BodyText.string(description), "datastore": BodyText.datastore(datastore, datastoreVersion),
            "apply_order": applyOrder.map { .int(Int64($0)) }, "auto_apply": flag(autoApply),
            "all_tenants": flag(allTenants), "visible": hidden ? 0 : nil, "priority_apply": flag(priorityApply),
            "live_update": flag(liveUpdate),
        ])
        let answer = try client.send("POST", "/modules", ["module": body], limit: .seconds(120))
        output.printer.object(answer.body?["module"] ?? [:])
    }
}

struct ModuleInstancesCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "instances", abstract: "List the instances that a module is applied to.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The module's id or name.") var module: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.module, module)
        output.printer.list(
            try client.items("/modules/\(id)/instances?include_clustered=True", "instances"),
            Resource.instance.columns)
    }
}

/// What a guest says of its modules.
enum AppliedModule {
    static let columns = [
        Column("ID", "id"), Column("Name", "name"), Column("Type", "type"), Column("Datastore", "datastore"),
        Column("Version", "datastore_version"), Column("Status", "status"), Column("Message", "message"),
    ]
}

struct ApplyModuleCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "apply", abstract: "Apply modules to an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "Ids or names of modules.") var modules: [String]

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        let modules = try modules.map { JSONValue.object(["id": .string(try client.id(.module, $0))]) }
        let answer = try client.send(
            "POST", "/instances/\(id)/modules", ["modules": .array(modules)], limit: .seconds(240))
        output.printer.list(answer.body?["modules"]?.arrayValue ?? [], AppliedModule.columns)
    }
}

struct RemoveModuleCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a module from an instance.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The module's id or name.") var module: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        let module = try client.id(.module, module)
        _ = try client.send("DELETE", "/instances/\(id)/modules/\(module)", limit: .seconds(240))
        output.printer.note("instance \(instance): module \(self.module) is removed")
    }
}

struct QueryModulesCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask an instance which modules are applied to it.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        output.printer.list(
            try client.items("/instances/\(id)/modules?from_guest=True", "modules"), AppliedModule.columns)
    }
}
