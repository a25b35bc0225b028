// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// The TLS of an instance's database server.
struct InstanceTLSCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "ssl", "Show and change the TLS of the database server.",
        [
            ShowTLSCommand.self, EnableTLSCommand.self, TLSVerbCommand<DisableTLS>.self,
            TLSVerbCommand<RollBackTLS>.self,
        ])

    /// Asks for a change and prints what became of it.
    fileprivate static func change(
        _ client: ServiceClient, _ instance: String, _ output: OutputOptions, _ wish: [String: JSONValue]
    ) throws {
        let id = try client.id(.instance, instance)
        let answer = try client.send(
            "POST", "/instances/\(id)/ssl", ["ssl": .object(wish)], limit: .seconds(240))
        output.printer.object(answer.body?["ssl"] ?? [:])
    }
}

struct ShowTLSCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show whether the database server takes TLS, and its certificate.")

    @Flag(help: "With the certificate in PEM form.") var includeCertificate = false
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        let id = try client.id(.instance, instance)
        let query = PathText.query(["include_certificate": includeCertificate ? "true" : nil])
        output.printer.object(try client.send("GET", "/instances/\(id)/ssl\(query)").body?["ssl"] ?? [:])
    }
}

struct EnableTLSCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Turn TLS on, or exchange the certificate.")

    @Option(
        help: ArgumentHelp(
            "Who must use it: basic (who wants to), enforced (everybody), mtls (everybody, with a certificate).",
            valueName: "mode"))
    var mode = "basic"
    @Option(help: ArgumentHelp("The key manager's secret with the key's passphrase.", valueName: "url"))
    var passwordRef: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String
    @Argument(help: "The key manager's certificate container.") var container: String

    func perform(_ client: ServiceClient) throws {
        var wish: [String: JSONValue] = [
            "enable": true, "mode": .string(mode), "container_ref": .string(container),
        ]
        if let passwordRef { wish["password_ref"] = .string(passwordRef) }
        try InstanceTLSCommand.change(client, instance, output, wish)
    }
}

/// A change without options.
protocol TLSVerb {
    static var name: String { get }
    static var abstract: String { get }
    static var member: String { get }
}

enum DisableTLS: TLSVerb {
    static let name = "disable"
    static let abstract = "Turn TLS off."
    static let member = "disable"
}

enum RollBackTLS: TLSVerb {
    static let name = "rollback"
    static let abstract = "Take the last change back."
    static let member = "rollback"
}

/// `trove instance ssl disable|rollback INSTANCE`
struct TLSVerbCommand<Verb: TLSVerb>: ClientCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: Verb.name, abstract: Verb.abstract)
    }

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions
    @Argument(help: "The instance's id or name.") var instance: String

    func perform(_ client: ServiceClient) throws {
        try InstanceTLSCommand.change(client, instance, output, [Verb.member: true])
    }
}
