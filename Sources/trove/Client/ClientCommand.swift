// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A command that asks the database service.
protocol ClientCommand: ParsableCommand {
    var identity: IdentityOptions { get }

    func perform(_ client: ServiceClient) throws
}

extension ClientCommand {
    func run() throws {
        do {
            try perform(try ServiceClient(try identity.settings()))
        } catch let error as ClientError {
            Output.error(TextWidth.visible(error.message))
            throw ExitCode(error.code.rawValue)
        }
    }
}

extension WaitOptions {
    /// Follows an operation on a resource to its end, if that is asked for.
    ///
    /// - Returns: The resource in its final status; nil when nobody waits, or it is gone.
    func follow(
        _ client: ServiceClient, _ resource: Resource, id: String, name: String, until goal: Waiter.Goal = .finalStatus
    ) throws -> JSONValue? {
        guard isWaiting, let rule = resource.rule else { return nil }
        client.interruption.arm()
        var progress = Progress("\(resource.noun) \(name)")
        let show = "trove \(resource.noun) show \(id)"
        let waiter = Waiter(
            rule, until: goal, timeout: .seconds(timeout),
            advice: goal == .gone ? "'\(show)' tells whether it is there" : "'\(show) --wait' waits for it")
        return try waiter.run(
            &progress,
            read: {
                do { return try client.object(resource, id: id) } catch let error as ClientError
                    where error.status == 404
                {
                    return nil
                }
            },
            pause: client.interruption.pause)
    }
}

/// Text of options for a request's body.
enum BodyText {
    /// An object of the members that are there.
    static func object(_ members: [String: JSONValue?]) -> JSONValue { .object(members.compactMapValues { $0 }) }

    static func string(_ text: String?) -> JSONValue? { text.map(JSONValue.string) }

    static func names(_ names: [String]) -> JSONValue? {
        names.isEmpty ? nil : .array(names.map { ["name": .string($0)] })
    }

    /// A datastore and its version; nil without either.
    static func datastore(_ type: String?, _ version: String?, number: String? = nil) -> JSONValue? {
        guard type != nil || version != nil || number != nil else { return nil }
        return object(["type": string(type), "version": string(version), "version_number": string(number)])
    }
}

/// Where the password of a database's user comes from: a terminal, a file, or standard input; never the command line.
struct PasswordOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read the password from this file, - is standard input; without it the terminal is asked.",
            valueName: "file"))
    var passwordFile: String?

    func password(of user: String) throws -> Secret {
        guard let passwordFile else {
            guard let text = Terminal.askSecretly("Password of \(user): ") else {
                throw ClientError(
                    .usage, "there is no terminal to ask for the password of '\(user)'; give --password-file")
            }
            guard !text.isEmpty, text == Terminal.askSecretly("Again: ") else {
                throw ClientError(.usage, text.isEmpty ? "the password is empty" : "the two passwords differ")
            }
            return Secret(text)
        }
        let path = passwordFile == "-" ? "/dev/stdin" : passwordFile
        guard let bytes = Files.contents(path, limit: 1 << 16), var text = String(validating: bytes, as: UTF8.self)
        else { throw ClientError(.usage, "the password file '\(passwordFile)' cannot be read as text") }
        while text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
        guard !text.isEmpty else { throw ClientError(.usage, "the password file '\(passwordFile)' is empty") }
        return Secret(text)
    }
}
