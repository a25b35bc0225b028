// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Model

/// What can be told about a plugin without using it.
package struct PluginInspection: Sendable {
    /// SHA-256 of the library as it is now.
    package let sha256: String
    /// `name (fingerprint)`; nil without a signature by a trusted key.
    package let signer: String?
    /// What the library said in a trial load, `{"id", "version", "abi", "provides"}`; nil without one.
    package let described: JSONValue?

    /// Checks owner, mode, digest and whatever trust asks for. Blocks.
    package static func verify(
        _ candidate: PluginCandidate, trust: PluginTrust
    ) throws(PluginRefusal) -> PluginInspection {
        let library = try PluginVerifier(trust: trust).open(candidate)
        close(library.file)
        return PluginInspection(sha256: library.sha256, signer: library.signer, described: nil)
    }

    /// As `verify`; also asks whether this host offers what the plugin needs in each of its roles, and loads it on trial in
    /// a child. Blocks.
    ///
    /// - Parameter configuration: Trust, probe command and settings; its role is not looked at.
    package static func probe(
        _ candidate: PluginCandidate, configuration: PluginHostConfiguration
    ) throws(PluginRefusal) -> PluginInspection {
        var configuration = configuration
        for role in candidate.manifest.roles.sorted(by: { $0.rawValue < $1.rawValue }) {
            configuration.role = role
            try PluginLoader(configuration: configuration).checkRequirements(candidate)
        }
        let library = try PluginVerifier(trust: configuration.trust).open(candidate)
        defer { close(library.file) }
        let described = try PluginTrial(configuration: configuration).describe(library, candidate)
        let (loader, manifest) = (PluginLoader(configuration: configuration), candidate.manifest)
        try loader.compare("id", described["id"]?.stringValue ?? "", manifest.id, candidate)
        try loader.compare("version", described["version"]?.stringValue ?? "", manifest.version, candidate)
        let found = Set((described["provides"]?.arrayValue ?? []).compactMap(\.stringValue))
        for id in manifest.provides where ExtensionTables.known.contains(id) && !found.contains(id) {
            throw PluginRefusal(
                path: candidate.libraryPath, id: manifest.id, cause: .mismatch,
                message: "provides: the manifest names \(id), the library does not have it")
        }
        return PluginInspection(sha256: library.sha256, signer: library.signer, described: described)
    }

    /// Loads a library that has no manifest on trial in a child. Blocks.
    ///
    /// - Returns: `{"id", "version", "abi", "provides"}` as the library says it.
    package static func probe(
        library path: String, configuration: PluginHostConfiguration
    ) throws(PluginRefusal) -> JSONValue {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw PluginRefusal(path: path, cause: .notFound, message: SecureFile.reason("cannot be opened"))
        }
        defer { close(file) }
        return try PluginTrial(configuration: configuration).describe(file, path: path, id: nil)
    }
}
