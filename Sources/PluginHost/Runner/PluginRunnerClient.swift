// SPDX-License-Identifier: Apache-2.0

package import Model

/// Runs the control plane's half of the plugins in a child process, and brings it back when it dies.
package final class PluginRunnerClient: ControlPlugins {
    package init(command: [String], configuration: PluginHostConfiguration) {}
    package func start(deadline: Deadline) async throws(PluginError) {}
    package func shutdown() async {}
    package var refusals: [PluginRefusal] { get async { [] } }
    package var plugins: [PluginDescription] { get async { [] } }
    package var routes: [PluginRoute] { get async { [] } }
    package func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue { throw PluginError(.unavailable, "not loaded") }
    package func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue { throw PluginError(.unavailable, "not loaded") }
}
