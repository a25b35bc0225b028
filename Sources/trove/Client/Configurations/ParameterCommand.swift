// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// What a configuration group may have.
struct ParameterCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "parameter", "Show the parameters that a configuration group may have.",
        [ListParametersCommand.self, ShowParameterCommand.self])
}

/// A datastore version by id, or by name and its datastore.
struct VersionArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The datastore's id or name; needed with a version's name.", valueName: "datastore"))
    var datastore: String?
    @Argument(help: "The datastore version's id or name.") var version: String

    func validate() throws {
        if datastore == nil, !PathText.isUUID(version) {
            throw ValidationError("'\(version)' is no id: name the version's datastore with --datastore")
        }
    }

    var path: String {
        let datastore = datastore.map { "/\(PathText.escaped($0))" } ?? ""
        return "/datastores\(datastore)/versions/\(PathText.member(version))"
    }
}

struct ListParametersCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the parameters of a datastore version.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: VersionArguments

    func perform(_ client: ServiceClient) throws {
        output.printer.list(
            try client.items(of.path + "/parameters", "configuration-parameters"),
            [
                Column("Name", "name"), Column("Type", "type"), Column("Min", "min"), Column("Max", "max"),
                Column("Restart Required", "restart_required"),
            ])
    }
}

struct ShowParameterCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a parameter of a datastore version.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @OptionGroup var of: VersionArguments
    @Argument(help: "The parameter's name.") var parameter: String

    func perform(_ client: ServiceClient) throws {
        output.printer.object(
            try client.send("GET", of.path + "/parameters/" + PathText.member(parameter)).body ?? [:])
    }
}
