// SPDX-License-Identifier: Apache-2.0

/// A plugin that is mapped and initialised.
package final class LoadedPlugin: Sendable {
    package let manifest: PluginManifest
    /// Absolute path of the plugin's directory.
    package let directory: String
    init(manifest: PluginManifest, directory: String) {
        self.manifest = manifest
        self.directory = directory
    }
}
