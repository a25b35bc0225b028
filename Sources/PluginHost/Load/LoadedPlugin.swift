// SPDX-License-Identifier: Apache-2.0

/// A plugin that is mapped and initialised.
package final class LoadedPlugin: Sendable {
    package let manifest: PluginManifest
    /// Absolute path of the plugin's directory.
    package let directory: String
    /// Of the library that is mapped.
    let sha256: String
    /// Who signed the manifest; nil without a signature by a trusted key.
    let signer: String?
    /// Routes of its API extension, as the manifest allows them.
    let routes: [PluginRoute]
    /// One for each of the manifest's actions, in its order.
    let actions: [ActionCall]
    let host: HostContext
    let tables: ExtensionTables
    private let image: LibraryImage
    /// Functions without a `self` run side by side.
    let lane = Lane(isSerial: false)

    init(
        candidate: PluginCandidate, library: VerifiedLibrary, image: LibraryImage, tables: ExtensionTables,
        host: HostContext,
        routes: [PluginRoute], actions: [ActionCall]
    ) {
        manifest = candidate.manifest
        directory = candidate.directory
        sha256 = library.sha256
        signer = library.signer
        self.image = image
        self.tables = tables
        self.host = host
        self.routes = routes
        self.actions = actions
    }

    package var description: PluginDescription {
        PluginDescription(
            id: manifest.id, version: manifest.version, sha256: sha256,
            roles: manifest.roles.map(\.rawValue).sorted(), provides: manifest.provides, directory: directory,
            signer: signer, actions: manifest.actions, datastores: manifest.datastores,
            canDryRun: manifest.canDryRun, makesIncrements: manifest.makesIncrements
        )
    }

    /// Stops calls, waits for them, and ends the plugin; it stays mapped.
    ///
    /// - Returns: False when calls do not end; the plugin is then left as it is.
    func shutDown() -> Bool {
        guard host.close(within: host.cancellationGrace) else { return false }
        image.deinitialize()
        return true
    }
}
