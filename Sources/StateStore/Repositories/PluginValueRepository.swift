// SPDX-License-Identifier: Apache-2.0

/// A few values a plugin, each with a revision that grows with every change of any.
package protocol PluginValueRepository {
    /// nil without one.
    func find(pluginID: String, key: String) throws -> PluginValueRecord?
    /// Stores or replaces.
    ///
    /// - Parameter value: Any text; bytes as Base64.
    /// - Returns: The new revision.
    func put(pluginID: String, key: String, value: String) throws -> Int
    func remove(pluginID: String, key: String) throws
    func count(pluginID: String) throws -> Int
    /// Keys and revisions in ascending order of the keys' bytes, without values.
    ///
    /// - Parameter prefix: Of printable ASCII, as all keys are.
    func list(pluginID: String, prefix: String, after: String?, limit: Int) throws -> [(key: String, revision: Int)]
}

package struct PluginValueRecord: Sendable, Hashable {
    package var value: String
    package var revision: Int

    package init(value: String, revision: Int) {
        self.value = value
        self.revision = revision
    }
}
