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
    /// Who signed the manifest, `name (fingerprint)`; nil without a signature by a trusted key.
    package var signer: String?
    /// Whether references without a version mean this one, and its routes and actions are served.
    package var isActive: Bool
    /// Whether its control half is mapped; false for a plugin that only guests map.
    package var isLoaded: Bool
    /// Why it is not called until an operator lifts it; nil when it is called.
    package var quarantine: String?
    /// Operations that it invents, as its manifest declares them.
    package var actions: [ActionDeclaration]
    /// What it is for; nil for any datastore.
    package var datastores: [PluginDatastore]?
    /// Whether its routes change nothing but by control operations, so that a dry run can run them.
    package var canDryRun: Bool
    /// Whether its backup strategy makes increments, as its manifest says.
    package var makesIncrements: Bool

    package init(
        id: String, version: String, sha256: String, roles: [String], provides: [String], directory: String,
        signer: String? = nil, isActive: Bool = true, isLoaded: Bool = true, quarantine: String? = nil,
        actions: [ActionDeclaration] = [], datastores: [PluginDatastore]? = nil, canDryRun: Bool = false,
        makesIncrements: Bool = false
    ) {
        self.id = id
        self.version = version
        self.sha256 = sha256
        self.roles = roles
        self.provides = provides
        self.directory = directory
        self.signer = signer
        self.isActive = isActive
        self.isLoaded = isLoaded
        self.quarantine = quarantine
        self.actions = actions
        self.datastores = datastores
        self.canDryRun = canDryRun
        self.makesIncrements = makesIncrements
    }

    /// `id@version`.
    package var reference: String { "\(id)@\(version)" }

    /// Whether a reference `id` or `id@version` means this one; without a version, the active one is meant.
    package func isNamed(_ reference: String) -> Bool {
        reference == self.reference || (isActive && reference == id)
    }
}

/// A route that a plugin adds to the REST API.
package struct PluginRoute: Sendable, Hashable {
    package var pluginID: String
    /// Of the plugin; empty: the active one.
    package var version: String
    /// Position in the plugin's table.
    package var index: Int
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    package var method: String
    /// Below `/v1.0/{project}`, e.g. `/instances/{id}/users/{name}`.
    package var path: String
    /// Name of the policy rule, e.g. `instance:extension:user:show`.
    package var policy: String
    /// One line; empty without one.
    package var summary: String
    /// JSON Schema of the request's body; nil for any.
    package var requestSchema: JSONValue?
    package var responseSchema: JSONValue?

    package init(
        pluginID: String, version: String = "", index: Int, method: String, path: String, policy: String,
        summary: String = "", requestSchema: JSONValue? = nil, responseSchema: JSONValue? = nil
    ) {
        self.pluginID = pluginID
        self.version = version
        self.index = index
        self.method = method
        self.path = path
        self.policy = policy
        self.summary = summary
        self.requestSchema = requestSchema
        self.responseSchema = responseSchema
    }

    /// The plugin, with its version when it is known.
    package var plugin: PluginReference { PluginReference(version.isEmpty ? pluginID : "\(pluginID)@\(version)") }
}

/// One entry of `trove.datastore-policy/1`. Documents: the header.
package enum PolicyFunction: String, Sendable, Hashable, CaseIterable {
    case requirements
    case validateCreate = "validate_create"
    case renderConfiguration = "render_configuration"
    case parameters
    case validateConfiguration = "validate_configuration"
    case planUpgrade = "plan_upgrade"
}

/// The control plane's half of the plugins, wherever it runs.
package protocol ControlPlugins: Sendable {
    /// What is in use now.
    var plugins: [PluginDescription] { get async }
    /// Routes of all plugins, without clashes.
    var routes: [PluginRoute] { get async }

    /// What is not in use, and why.
    var refusals: [PluginRefusal] { get async }
    /// How one version fares.
    func condition(_ plugin: PluginReference) async -> PluginCondition

    /// What each plugin that is mapped did since its process began.
    var statistics: [PluginStatistics] { get async }

    /// Hands a message from a guest to the same plugin's `trove.rpc-peer/1`.
    ///
    /// - Parameter message: The rpc-message document.
    /// - Throws: `notFound`, `unsupported`, and what the plugin reports.
    func peer(
        _ reference: String, _ message: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue

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

    /// Runs an action of the control role.
    ///
    /// - Parameters:
    ///   - reference: `id` or `id@version`.
    ///   - arguments: A JSON object; checked again where the plugin is mapped.
    ///   - control: As for `handle`.
    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult
}

extension ControlPlugins {
    package var statistics: [PluginStatistics] { get async { [] } }
    package var refusals: [PluginRefusal] { get async { [] } }
    package func condition(_ plugin: PluginReference) async -> PluginCondition { PluginCondition() }

    package func peer(
        _ reference: String, _ message: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        throw PluginError(.unsupported, pluginID: PluginReference(reference).id, "no plugin is reached here")
    }
}

/// The control plane's own operations, as `trove.control/1` offers them.
package protocol ControlHandler: Sendable {
    func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue
}
