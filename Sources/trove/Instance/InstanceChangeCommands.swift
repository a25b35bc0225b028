// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// `trove instance delete INSTANCE …`
struct DeleteInstanceCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete instances.")

    @Flag(help: "Forget the task of each first, whatever it does.") var force = false
    @OptionGroup var wait: WaitOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Ids or names.") var names: [String]

    func perform(_ client: ServiceClient) throws {
        try DeleteCommand<Instances>.delete(client, .instance, names, wait) { id in
            if force { try Self.forget(client, id) }
        }
    }

    static func forget(_ client: ServiceClient, _ id: String) throws {
        _ = try client.send("POST", "/instances/\(id)/action", ["reset_status": ["force_delete": true]])
    }
}

/// `trove instance force-delete INSTANCE …`
struct ForceDeleteInstanceCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "force-delete", abstract: "Delete instances whatever they do, as delete --force.")

    @OptionGroup var wait: WaitOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "Ids or names.") var names: [String]

    func perform(_ client: ServiceClient) throws {
        try DeleteCommand<Instances>.delete(client, .instance, names, wait) { id in
            try DeleteInstanceCommand.forget(client, id)
        }
    }
}

/// `trove instance update INSTANCE`
struct UpdateInstanceCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Rename an instance, or change its configuration group, source or access.")

    @Option(help: "The new name.") var name: String?
    @Option(help: "The configuration group to attach, by id or name.") var configuration: String?
    @Flag(help: "Detach the configuration group.") var removeConfiguration = false
    @Flag(help: "Detach it from its replica source.") var detachReplicaSource = false
    @Option(help: ArgumentHelp("Whether everybody may reach its address.", valueName: "true|false"))
    var isPublic: Bool?
    @Option(help: ArgumentHelp("Who may reach it; may be given several times.", valueName: "cidr"))
    var allowedCidr: [String] = []
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func validate() throws {
        let hasAccess = isPublic != nil || !allowedCidr.isEmpty
        let changes = [configuration != nil, removeConfiguration, detachReplicaSource, hasAccess].count { $0 }
        guard name != nil || changes > 0 else { throw ValidationError("nothing to change is given") }
        guard changes <= 1 else { throw ValidationError("beside --name only one thing can be changed at once") }
    }

    func perform(_ client: ServiceClient) throws {
        var members: [String: JSONValue] = [:]
        if let name { members["name"] = .string(name) }
        if let configuration { members["configuration"] = .string(try client.id(.configuration, configuration)) }
        if removeConfiguration { members["configuration"] = .null }
        if detachReplicaSource { members["replica_of"] = .null }
        if isPublic != nil || !allowedCidr.isEmpty {
            members["access"] = BodyText.object([
                "is_public": .bool(isPublic ?? false),
                "allowed_cidrs": allowedCidr.isEmpty ? nil : .array(allowedCidr.map(JSONValue.string)),
            ])
        }
        try InstanceChange.perform(client, instance, wait, output.printer) { id in
            _ = try client.send("PUT", "/instances/\(id)", ["instance": .object(members)], limit: .seconds(240))
        }
    }
}

/// `trove instance detach INSTANCE`
struct DetachReplicaCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Detach a replica from its source.")

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The replica's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        try InstanceChange.perform(client, instance, wait, output.printer) { id in
            _ = try client.send("PUT", "/instances/\(id)", ["instance": ["replica_of": .null]])
        }
    }
}

/// `trove instance upgrade INSTANCE VERSION`
struct UpgradeInstanceCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Give an instance another version of its datastore.")

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The datastore version's id or name.") var datastoreVersion: String

    func perform(_ client: ServiceClient) throws {
        try InstanceChange.perform(client, instance, wait, output.printer) { id in
            _ = try client.send(
                "PATCH", "/instances/\(id)", ["instance": ["datastore_version": .string(datastoreVersion)]])
        }
    }
}
