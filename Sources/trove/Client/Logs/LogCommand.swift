// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A tenant's commands about the logs of an instance's database server.
struct LogCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "log", "Show and publish logs of an instance.",
        [
            ListLogsCommand.self, LogVerbCommand<ShowLog>.self, LogVerbCommand<EnableLog>.self,
            LogVerbCommand<DisableLog>.self, LogVerbCommand<PublishLog>.self, LogVerbCommand<DiscardLog>.self,
            SaveLogCommand.self, TailLogCommand.self,
        ])
}

struct ListLogsCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List an instance's logs.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        output.printer.list(
            try client.items("/instances/\(id)/log", "logs"),
            [
                Column("Name", "name"), Column("Type", "type"), Column("Status", "status"),
                Column("Published", "published"), Column("Pending", "pending"), Column("Container", "container"),
                Column("Prefix", "prefix"),
            ])
    }
}

/// What is done with a log.
protocol LogVerb {
    static var name: String { get }
    static var abstract: String { get }
    /// The member that asks for it; nil looks only.
    static var member: String? { get }
}

enum ShowLog: LogVerb {
    static let name = "show"
    static let abstract = "Show a log's state."
    static let member: String? = nil
}

enum EnableLog: LogVerb {
    static let name = "enable"
    static let abstract = "Have the database server write a log."
    static let member: String? = "enable"
}

enum DisableLog: LogVerb {
    static let name = "disable"
    static let abstract = "Have the database server write a log no longer."
    static let member: String? = "disable"
}

enum PublishLog: LogVerb {
    static let name = "publish"
    static let abstract = "Copy what is new in a log to the object store."
    static let member: String? = "publish"
}

enum DiscardLog: LogVerb {
    static let name = "discard"
    static let abstract = "Delete what of a log is in the object store."
    static let member: String? = "discard"
}

/// `trove log show|enable|… INSTANCE LOG`
struct LogVerbCommand<Verb: LogVerb>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: Verb.name, abstract: Verb.abstract)
    }

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The log's name.") var log: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        var body: [String: JSONValue] = ["name": .string(log)]
        if let member = Verb.member { body[member] = 1 }
        let answer = try client.send("POST", "/instances/\(id)/log", .object(body), limit: .seconds(240))
        output.printer.object(answer.body?["log"] ?? [:])
    }
}
