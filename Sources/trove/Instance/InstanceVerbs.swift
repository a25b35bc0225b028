// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// An action without options.
protocol InstanceVerb {
    static var name: String { get }
    static var abstract: String { get }
    static var body: JSONValue { get }
    /// Where it goes; `/mgmt/instances` for those of administrators.
    static var collection: String { get }
}

extension InstanceVerb {
    static var collection: String { Resource.instance.path }
}

enum Restart: InstanceVerb {
    static let name = "restart"
    static let abstract = "Restart the database server."
    static let body: JSONValue = ["restart": [:]]
}

enum Promote: InstanceVerb {
    static let name = "promote"
    static let abstract = "Make a replica the source of its siblings and of the source it has now."
    static let body: JSONValue = ["promote_to_replica_source": [:]]
}

enum Eject: InstanceVerb {
    static let name = "eject"
    static let abstract = "Replace a replica source that does not answer by one of its replicas."
    static let body: JSONValue = ["eject_replica_source": [:]]
}

enum ResetStatus: InstanceVerb {
    static let name = "reset-status"
    static let abstract = "Forget the task of an instance; for administrators."
    static let body: JSONValue = ["reset_status": [:]]
}

enum Reboot: InstanceVerb {
    static let name = "reboot"
    static let abstract = "Reboot the instance's server; for administrators."
    static let body: JSONValue = ["reboot": [:]]
    static let collection = "/mgmt/instances"
}

/// `trove instance restart INSTANCE` and its siblings.
struct InstanceVerbCommand<Verb: InstanceVerb>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: Verb.name, abstract: Verb.abstract)
    }

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        try InstanceChange.perform(client, instance, wait, output.printer) { id in
            _ = try client.send("POST", "\(Verb.collection)/\(id)/action", Verb.body)
        }
    }
}

/// What every change of an instance ends with.
enum InstanceChange {
    static func perform(
        _ client: ServiceClient, _ instance: String, _ wait: WaitOptions, _ printer: Printer,
        _ change: (String) throws -> Void
    ) throws {
        let id = try client.id(.instance, instance)
        try change(id)
        if let final = try wait.follow(client, .instance, id: id, name: instance) {
            printer.object(final)
        } else {
            printer.note("instance \(instance): accepted")
        }
    }
}

/// `trove instance resize flavor|volume`
struct ResizeCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "resize", "Change an instance's flavor or the size of its volume.",
        [ResizeFlavorCommand.self, ResizeVolumeCommand.self])
}

struct ResizeFlavorCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "flavor", abstract: "Give an instance another flavor.")

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The flavor's id or name.") var flavor: String

    func perform(_ client: ServiceClient) throws {
        let flavor = try client.id(.flavor, flavor)
        try InstanceChange.perform(client, instance, wait, output.printer) { id in
            _ = try client.send("POST", "/instances/\(id)/action", ["resize": ["flavorRef": .string(flavor)]])
        }
    }
}

struct ResizeVolumeCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Make an instance's volume larger.")

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The new size in GiB.") var size: Int

    func perform(_ client: ServiceClient) throws {
        try InstanceChange.perform(client, instance, wait, output.printer) { id in
            _ = try client.send(
                "POST", "/instances/\(id)/action", ["resize": ["volume": ["size": .int(Int64(size))]]])
        }
    }
}
