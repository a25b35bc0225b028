// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// `trove module update MODULE`
struct UpdateModuleCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a module; where it is applied it changes with reapply.")

    @Option(help: ArgumentHelp("Its new name.", valueName: "name")) var name: String?
    @Option(help: ArgumentHelp("Its new type.", valueName: "type")) var type: String?
    @Option(help: ArgumentHelp("A file with its new contents; - is standard input.", valueName: "file"))
    var file: String?
    @Option(help: ArgumentHelp("A text to find it by.", valueName: "text")) var description: String?
    @Option(help: ArgumentHelp("The datastore it is for, by id or name.", valueName: "datastore"))
    var datastore: String?
    @Option(help: ArgumentHelp("The datastore version it is for, by id or name.", valueName: "version"))
    var datastoreVersion: String?
    @Flag(help: "It is for every datastore.") var allDatastores = false
    @Flag(help: "It is for every version of its datastore.") var allDatastoreVersions = false
    @Option(help: ArgumentHelp("Modules of a lower number are applied first.", valueName: "0-9")) var applyOrder: Int?
    @Option(help: ArgumentHelp("Apply it to every new instance; for administrators.", valueName: "true|false"))
    var autoApply: Bool?
    @Option(help: ArgumentHelp("Offer it to all projects; for administrators.", valueName: "true|false"))
    var allTenants: Bool?
    @Option(help: ArgumentHelp("Show it; for administrators.", valueName: "true|false")) var visible: Bool?
    @Option(help: ArgumentHelp("Apply it before all others; for administrators.", valueName: "true|false"))
    var priorityApply: Bool?
    @Option(help: ArgumentHelp("It may be changed while it is applied.", valueName: "true|false")) var liveUpdate: Bool?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The module's id or name.") var module: String

    func perform(_ client: ServiceClient) throws {
        func flag(_ value: Bool?) -> JSONValue? { value.map { $0 ? 1 : 0 } }
        let body = BodyText.object([
            "name": BodyText.string(name), "module_type": BodyText.string(type),
            "contents": try file.map(ModuleContents.read), "description": BodyText.string(description),
            "datastore": BodyText.datastore(datastore, datastoreVersion),
            "all_datastores": flag(allDatastores ? true : nil),
            "all_datastore_versions": flag(allDatastoreVersions ? true : nil),
            "apply_order": applyOrder.map { .int(Int64($0)) }, "auto_apply": flag(autoApply),
            "all_tenants": flag(allTenants), "visible": flag(visible), "priority_apply": flag(priorityApply),
            "live_update": flag(liveUpdate),
        ])
        guard body.objectValue?.isEmpty == false else {
            throw ClientError(.usage, "nothing is to change; see 'trove help module update'")
        }
        let id = try client.id(.module, module)
        let answer = try client.send("PUT", "/modules/\(id)", ["module": body], limit: .seconds(120))
        output.printer.object(answer.body?["module"] ?? [:])
    }
}

/// `trove module reapply MODULE`
struct ReapplyModuleCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "reapply", abstract: "Apply a module anew to the instances that have other contents of it.")

    @Option(help: ArgumentHelp("Only to those that have these contents.", valueName: "md5")) var md5: String?
    @Flag(help: "To members of clusters too.") var includeClustered = false
    @Option(help: ArgumentHelp("To so many instances at a time; 0 is all.", valueName: "count")) var batchSize: Int?
    @Option(help: ArgumentHelp("Wait so long after each batch.", valueName: "seconds")) var batchDelay: Int?
    @Flag(help: "To those too that have its contents already.") var force = false
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The module's id or name.") var module: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.module, module)
        let wish = BodyText.object([
            "md5": BodyText.string(md5), "include_clustered": includeClustered ? 1 : nil,
            "batch_size": batchSize.map { .int(Int64($0)) }, "batch_delay": batchDelay.map { .int(Int64($0)) },
            "force": force ? 1 : nil,
        ])
        _ = try client.send("PUT", "/modules/\(id)/instances", ["reapply": wish])
        Output.line(
            TextWidth.visible(
                "module \(module): is being applied anew; 'trove module instances \(module)' tells where it is,"
                    + " 'trove event list' how it goes"))
    }
}
