// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// Holds the operator's settings of a plugin against the schema that the plugin ships, before its code is mapped.
struct SettingsCheck {
    private static let limit = 1 << 20
    private static let shown = 3

    /// - Parameter settings: The plugin's section; an object.
    /// - Throws: `PluginRefusal` with cause `manifest` for a schema that is none, `settings` naming what does not fit.
    func run(_ settings: JSONValue, _ candidate: PluginCandidate) throws(PluginRefusal) {
        guard let name = candidate.manifest.configurationSchema else { return }
        let path = candidate.directory + "/" + name
        func refuse(_ cause: PluginRefusal.Cause, _ message: String) -> PluginRefusal {
            PluginRefusal(path: path, id: candidate.manifest.id, cause: cause, message: message)
        }
        let root = try SecureFile.openRoot(candidate.directory)
        defer { close(root.directory) }
        let file = try SecureFile.openFile(name, in: root.directory, path: path)
        defer { close(file) }
        guard let bytes = SecureFile.contents(file, limit: Self.limit) else {
            throw refuse(.manifest, "cannot be read, or is larger than 1 MiB")
        }
        let schema: JSONSchema
        do throws(JSONError) { schema = try JSONSchema(try JSONValue(parsing: bytes)) } catch {
            throw refuse(.manifest, "is no schema that can be used: \(error.message)")
        }
        let failures = schema.failures(settings, root: "configuration.\(candidate.manifest.id)")
        guard failures.isEmpty else {
            throw refuse(
                .settings, "the plugin's settings do not fit: " + failures.prefix(Self.shown).joined(separator: "; "))
        }
    }
}
