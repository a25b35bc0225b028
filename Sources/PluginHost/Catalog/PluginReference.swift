// SPDX-License-Identifier: Apache-2.0

/// How configuration and datastore files name a plugin: `id`, or `id@version`.
struct PluginReference: Sendable, Hashable, CustomStringConvertible {
    let id: String
    let version: String?

    init(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        id = String(parts[0])
        version = parts.count == 2 ? String(parts[1]) : nil
    }

    func matches(_ manifest: PluginManifest) -> Bool {
        id == manifest.id && (version == nil || version == manifest.version)
    }

    var description: String { version.map { "\(id)@\($0)" } ?? id }
}
