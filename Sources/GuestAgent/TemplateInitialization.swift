// SPDX-License-Identifier: Apache-2.0

package import Logging
import Model
import PluginHost

/// Fills a template's data directory, which later instances start from.
package enum TemplateInitialization {
    /// Opens the datastore, lets it initialise the data directory and closes it.
    ///
    /// - Throws: `PluginError` naming the plugin and its reason; `GuestAgentError`.
    package static func run(
        _ configuration: GuestConfiguration, probeCommand: [String], logger: Logger
    ) async throws {
        let fault = PluginFault.takeOver(configuration.state("fault"))
        let marks = try CallMarks(stateDirectory: configuration.stateDirectory, fault: fault)
        let plugins = GuestPlugins(
            configuration: configuration, probeCommand: probeCommand, marks: marks, logger: logger)
        do {
            _ = try await plugins.call(
                .initialize, [:], verb: "initialize", deadline: .after(.seconds(900)),
                context: RequestContext(requestID: SystemRandomSource().requestID()))
        } catch {
            await plugins.close()
            throw error
        }
        await plugins.close()
    }
}
