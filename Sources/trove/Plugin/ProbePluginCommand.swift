// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Model
import PluginHost

/// Tries a plugin without installing it.
struct ProbePluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Check a plugin's directory, or a library alone, and load it on trial in a child.",
        discussion: "Prints what the library says of itself as JSON. Exits 1 with the reason when it cannot be used."
    )

    @OptionGroup var home: HomeOption

    @Argument(help: ArgumentHelp("A plugin's directory, or its library.", valueName: "file|directory"))
    var path: String

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            var info = stat()
            guard stat(path, &info) == 0 else { throw StartError("\(path): \(String(cString: strerror(errno)))") }
            guard info.st_mode & S_IFMT == S_IFDIR else { return try probe(library: path, operation) }
            let candidate = try PluginCatalog.candidate(at: path)
            let inspection = try PluginInspection.probe(candidate, configuration: operation.trialConfiguration)
            var members = inspection.described?.objectValue ?? [:]
            members["sha256"] = .string(inspection.sha256)
            members["signer"] = .optional(inspection.signer)
            Output.line(JSONValue.object(members).text)
        }
    }

    /// A library without a manifest: there is nothing to trust it by, so it is loaded in a child of this user alone.
    private func probe(library: String, _ operation: PluginOperator) throws {
        let described = try PluginInspection.probe(library: library, configuration: operation.trialConfiguration)
        var members = described.objectValue ?? [:]
        members["sha256"] = .optional(FileDigest.sha256(path: library))
        Output.line(JSONValue.object(members).text)
    }
}
