// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PluginHost

extension PluginTemplate.Kind: ExpressibleByArgument {}
extension PluginTemplate.Language: ExpressibleByArgument {}

/// Writes a plugin that builds and works, to be changed into the vendor's own.
struct NewPluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a new plugin into ./NAME.",
        discussion: "It builds with 'make' against the installed SDK alone; its README says what comes next."
    )

    @Option(help: "What it is.")
    var kind: PluginTemplate.Kind

    @Option(help: "What it is written in.")
    var language: PluginTemplate.Language

    @Option(help: ArgumentHelp("Its id, reverse DNS (default: org.example.NAME).", valueName: "id"))
    var id: String?

    @Argument(help: "Its name: lower-case letters, digits and '-'.")
    var name: String

    func run() throws {
        guard let pluginName = PluginName(name) else {
            throw ValidationError(
                "'\(name)' is no name for a plugin: 2 to 40 lower-case letters, digits and single '-', a letter first")
        }
        let id = id ?? "org.example.\(name)"
        guard PluginName.isIdentifier(id) else {
            throw ValidationError("'\(id)' is no plugin id: reverse DNS, e.g. org.example.\(name)")
        }
        let template = PluginTemplate(
            kind: kind, language: language, name: pluginName, id: id, swiftRelease: PluginManifest.swiftRelease)
        do {
            try template.write(from: try SDKDirectory().templates, to: "./" + name)
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        }
        Output.line(
            """
            made ./\(name); next:
              make -C \(name)
              trove plugin check \(name)
              trove plugin install \(name)
            """)
    }
}
