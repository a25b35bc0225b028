// SPDX-License-Identifier: Apache-2.0

/// The plugins of one process.
package final class PluginRegistry: Sendable {
    package let configuration: PluginHostConfiguration
    package init(configuration: PluginHostConfiguration) { self.configuration = configuration }
    package func load() throws(PluginError) {}
    package func plugin(_ reference: String) -> LoadedPlugin? { nil }
    package var refusals: [PluginRefusal] { [] }
    package var plugins: [LoadedPlugin] { [] }
    package func shutdown() {}
}
