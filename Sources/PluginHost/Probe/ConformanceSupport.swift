// SPDX-License-Identifier: Apache-2.0

package import CTrovePlugin

/// The host's own rules, for the conformance kit: what it judges is what the host would do.
package enum ConformanceSupport {
    /// The platform that a manifest must name on this host.
    package static let platform = HostPlatform.name
    /// The Swift release that a manifest of a plugin in Swift must name.
    package static let swift = HostPlatform.swift

    /// Reads a manifest as the catalog does.
    ///
    /// - Throws: `PluginRefusal` naming file and field.
    package static func manifest(_ bytes: [UInt8], path: String) throws(PluginRefusal) -> PluginManifest {
        try ManifestReader(path: path).read(bytes)
    }

    /// Compares a plugin's actions with its manifest, as the loader does, and prepares them.
    ///
    /// - Throws: `PluginRefusal` naming the field in which the two differ.
    package static func actions(
        _ table: UnsafeBufferPointer<trove_action_1>, _ manifest: PluginManifest, path: String
    ) throws(PluginRefusal) -> [ActionCall] {
        try ActionTable(path: path, pluginID: manifest.id).calls(table, manifest.actions)
    }
}
