// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// Limits of a project.
struct LimitCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "limit", "Show the limits of the project.", [ListLimitsCommand.self])
}

struct ListLimitsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the project's quotas and how many requests are left.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    func perform(_ client: ServiceClient) throws {
        let limits = try client.items("/limits", "limits")
        let printer = output.printer
        guard printer.form == .table else { return printer.list(limits, []) }
        let rows = limits.flatMap { limit -> [JSONValue] in
            guard limit["verb"] == "ABSOLUTE" else { return [limit] }
            return (limit.objectValue ?? [:]).filter { $0.key != "verb" }.sorted { $0.key < $1.key }
                .map { ["verb": .string($0.key), "value": $0.value] }
        }
        printer.list(
            rows,
            [
                Column("Limit", "verb"), Column("Value", "value"), Column("Remaining", "remaining"),
                Column("Unit", "unit"),
            ])
    }
}

/// Quotas of projects.
struct QuotaCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "quota", "Show and change quotas of projects.", [ShowQuotaCommand.self, UpdateQuotaCommand.self])
}

struct ShowQuotaCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show limits and use of a project.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The project's id; without it, one's own.") var project: String?

    func perform(_ client: ServiceClient) throws {
        output.printer.list(
            try client.items("/mgmt/quotas/" + PathText.escaped(project ?? client.projectID), "quotas"),
            [
                Column("Resource", "resource"), Column("In Use", "in_use"), Column("Reserved", "reserved"),
                Column("Limit", "limit"),
            ])
    }
}

struct UpdateQuotaCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Set a limit of a project; for administrators.",
        discussion: "A negative number needs '--' before it: trove quota update PROJECT ram -- -1")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The project's id.") var project: String
    @Argument(help: "instances, volumes, backups or ram.") var resource: String
    @Argument(help: "The limit; -1 is none.") var limit: Int

    func perform(_ client: ServiceClient) throws {
        let answer = try client.send(
            "PUT", "/mgmt/quotas/" + PathText.escaped(project), ["quotas": [resource: .int(Int64(limit))]])
        output.printer.object(answer.body?["quotas"] ?? [:])
    }
}
