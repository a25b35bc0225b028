// SPDX-License-Identifier: Apache-2.0

import API
import ArgumentParser
import Model
import PluginHost

/// Lists the plugins that are there.
struct ListPluginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the plugins that are there, and what is refused.")

    @OptionGroup var home: HomeOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reportingErrors {
            let listing = try await PluginListing(PluginOperator(home.home))
            guard !json else { return Output.line(listing.json.text) }
            var rows = [["ID", "VERSION", "STATUS", "ROLES", "SIGNER", "USED BY"]]
            for entry in listing.entries {
                let manifest = entry.candidate.manifest
                rows.append([
                    manifest.id, manifest.version, entry.status,
                    manifest.roles.map(\.rawValue).sorted().joined(separator: ","), entry.inspection?.signer ?? "-",
                    "\(entry.usage.instances.count) instances",
                ])
            }
            for row in Self.aligned(rows) { Output.line(row) }
            for refusal in listing.refusals { Output.line("refused: \(refusal)") }
            guard !listing.causes.isEmpty else { return }
            Output.line(
                "refusals by cause: "
                    + listing.causes.map { "\($0.cause) \($0.count)" }.joined(separator: ", "))
        }
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}

/// Shows every version of one plugin.
struct ShowPluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is known about one plugin, as JSON.")

    @OptionGroup var home: HomeOption

    @Argument(help: ArgumentHelp("The plugin's id, or one version of it.", valueName: "id[@version]"))
    var reference: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let reference = PluginReference(reference)
            let listing = try await PluginListing(operation)
            let entries = listing.entries.filter { reference.matches($0.candidate.manifest) }
            let refusals = listing.refusals.filter { $0.id == reference.id }
            guard !entries.isEmpty || !refusals.isEmpty else {
                _ = try operation.require(reference, operation.scan())
                return
            }
            let document: JSONValue = [
                "id": .string(reference.id), "versions": .array(entries.map(\.json)),
                "previous": .optional(operation.catalogue.decisions.previous[reference.id]),
                "refusals": .array(refusals.map(\.json)),
            ]
            Output.line(document.text)
        }
    }
}
