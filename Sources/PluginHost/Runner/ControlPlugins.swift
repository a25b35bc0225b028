// SPDX-License-Identifier: Apache-2.0

package import Model

/// A plugin that is in use.
package struct PluginDescription: Sendable, Hashable {
    package var id: String
    package var version: String
    /// Of the library, 64 lower-case hexadecimal digits.
    package var sha256: String
    package var roles: [String]
    /// Ids of the extensions it offers.
    package var provides: [String]
    /// Absolute path of the plugin's directory.
    package var directory: String

    package init(
        id: String, version: String, sha256: String, roles: [String], provides: [String], directory: String
    ) {
        self.id = id
        self.version = version
        self.sha256 = sha256
        self.roles = roles
        self.provides = provides
        self.directory = directory
    }
}

/// A route that a plugin adds to the REST API.
package struct PluginRoute: Sendable, Hashable {
    package var pluginID: String
    /// Position in the plugin's table.
    package var index: Int
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    package var method: String
    /// Below `/v1.0/{project}`, e.g. `/instances/{id}/users/{name}`.
    package var path: String
    /// Name of the policy rule, e.g. `instance:extension:user:show`.
    package var policy: String

    package init(pluginID: String, index: Int, method: String, path: String, policy: String) {
        self.pluginID = pluginID
        self.index = index
        self.method = method
        self.path = path
        self.policy = policy
    }
}

/// One entry of `trove.datastore-policy/1`. Documents: the header.
package enum PolicyFunction: String, Sendable, Hashable, CaseIterable {
    case requirements
    case validateCreate = "validate_create"
    case renderConfiguration = "render_configuration"
}

/// The control plane's half of the plugins, wherever it runs.
package protocol ControlPlugins: Sendable {
    /// What is in use now.
    var plugins: [PluginDescription] { get async }
    /// Routes of all plugins, without clashes.
    var routes: [PluginRoute] { get async }

    /// Asks a datastore's policy half.
    ///
    /// - Parameter reference: `id` or `id@version`.
    /// - Throws: `notFound` without such a plugin, `unsupported` if it has no policy half, `crashed` when it trapped,
    ///   `unavailable` while nothing runs, and what the plugin reports.
    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue

    /// Serves a route: api-request document in, api-response document out.
    ///
    /// - Parameter control: Runs the operations that the plugin asks for meanwhile, with the caller's identity.
    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue
}

/// The control plane's own operations, as `trove.control/1` offers them.
package protocol ControlHandler: Sendable {
    func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue
}
