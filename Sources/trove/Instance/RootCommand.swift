// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// The database server's administrator.
struct RootCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "root", "Enable, show and disable the database server's administrator.",
        [EnableRootCommand.self, ShowRootCommand.self, DisableRootCommand.self])
}

struct EnableRootCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Enable the administrator, and print name and password once.")

    @Option(
        help: ArgumentHelp(
            "Read the password from this file, - is standard input; without it the service makes one.",
            valueName: "file"))
    var passwordFile: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        var body: JSONValue?
        if let passwordFile {
            var options = try PasswordOptions.parse([])
            options.passwordFile = passwordFile
            body = ["password": .string(try options.password(of: "root").revealed)]
        }
        let id = try client.id(.instance, instance)
        let answer = try client.send("POST", "/instances/\(id)/root", body, limit: .seconds(120))
        output.printer.object(answer.body?["user"] ?? [:])
    }
}

struct ShowRootCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Say whether the administrator has been enabled.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        output.printer.object(try client.send("GET", "/instances/\(id)/root").body ?? [:])
    }
}

struct DisableRootCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "disable", abstract: "Disable the administrator.")

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        _ = try client.send("DELETE", "/instances/\(id)/root", limit: .seconds(120))
        output.printer.note("instance \(instance): its administrator is disabled")
    }
}
