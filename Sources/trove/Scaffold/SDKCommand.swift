// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Prints where the SDK is, for Makefiles: `SDK ?= $(shell trove plugin sdk)`.
struct PluginSDKCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sdk", abstract: "Print the directory of what plugins are built with."
    )

    func run() throws {
        do {
            Output.line(try SDKDirectory().path)
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(1)
        }
    }
}

/// What plugins are built with: headers, schemas, build rules, helpers and templates.
struct SDKDirectory {
    let path: String

    /// Beside this program's plugins in a build folder, below `share/trove` when it is installed.
    ///
    /// - Throws: `StartError` if it is not there.
    init() throws {
        let folder = Installation.parent(try Installation.ownPath())
        let candidates = [Installation.parent(folder) + "/share/trove/sdk", folder + "/sdk"]
        guard let found = candidates.first(where: { Files.exists($0 + "/plugin.mk") }) else {
            throw StartError("there is no SDK at \(candidates[0]); 'make install PREFIX=…' puts it there")
        }
        path = found
    }

    var templates: String { path + "/templates" }
}
