// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// `trove instance action INSTANCE ACTION [KEY=VALUE …]`
struct InstanceActionCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "action",
        abstract: "Call an action that a plugin adds to an instance.",
        discussion: """
            Asks the database service that the OS_* variables of an openrc file name. KEY=@FILE reads the value from a file, \
            KEY=- from standard input; secret values are taken in no other way. What the action answers is printed as JSON. \
            Exit codes: 1 refused or failed, 64 wrong usage, 69 nobody answers, 77 wrong name or password, 78 wrong settings.
            """
    )

    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    @Flag(name: .customLong("list"), help: "Print what can be called on the instance.")
    var isList = false

    @Option(name: .customLong("json"), help: "All arguments as one JSON object; @FILE and - read it.")
    var document: String?

    @Argument(help: "The instance's id or name.")
    var instance: String

    @Argument(help: "The action's name.")
    var action: String?

    @Argument(help: "Arguments.")
    var values: [String] = []

    func validate() throws {
        if isList, action != nil || document != nil { throw ValidationError("--list takes nothing but the instance") }
        if !isList, action == nil { throw ValidationError("an action is missing; --list prints what there is") }
        if document != nil, !values.isEmpty {
            throw ValidationError("give arguments as KEY=VALUE or as --json, not both")
        }
    }

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        let actions = try client.send("GET", "/instances/\(id)/actions").body?["actions"]?.arrayValue ?? []
        guard let action else { return ActionList.write(actions) }
        let answer = try client.send(
            "POST", "/instances/\(id)/action",
            .object([action: try arguments(actions.first { $0["name"]?.stringValue == action }, action)]),
            limit: .seconds(240))
        if let body = answer.body { Output.line(body.text) }
    }

    private func arguments(_ declaration: JSONValue?, _ action: String) throws -> JSONValue {
        if let document {
            let bytes = try ActionArgumentText.bytes(document, literalIsAllowed: true, what: "--json")
            do { return try JSONValue(parsing: bytes) } catch {
                throw ClientError(.usage, "--json is not JSON: \(error.message)")
            }
        }
        guard let declaration else {
            // The service has the sentence for an action that it does not know; values cannot be typed without one.
            guard values.isEmpty else {
                throw ClientError(
                    .usage, "there is no action '\(action)' on this instance; --list prints what there is")
            }
            return [:]
        }
        return .object(try ActionArgumentText.arguments(values, declaration))
    }
}
