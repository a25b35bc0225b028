// SPDX-License-Identifier: Apache-2.0

package import HTTPClient
package import Logging
package import Model

/// Which half of a plugin a process maps.
package enum PluginRole: String, Sendable, Hashable, CaseIterable {
    /// The guest agent: engine verbs, backups.
    case guest
    /// The plugin runner of the control plane: policy, routes.
    case control

    private static let everywhere: Set<String> = [
        "trove.log/1", "trove.config/1", "trove.kv/1", "trove.http/1", "trove.object-store/1", "trove.rpc/1",
        "trove.metrics/1", "trove.clock/1", "trove.thread-check/1",
    ]

    /// Ids of the service tables that the host offers in this role.
    package var services: Set<String> {
        switch self {
        case .guest: Self.everywhere.union(["trove.process/1", "trove.report/1"])
        case .control: Self.everywhere.union(["trove.control/1"])
        }
    }
}

/// How `trove.process/1` starts programs that run as the engine.
package struct ProcessConfinement: Sendable, Hashable {
    package var uid: UInt32
    package var gid: UInt32
    /// Whether the agent can and shall change ids.
    package var setIDs: Bool
    /// `cgroup.procs` files that the program joins before it starts.
    package var cgroupProcsPaths: [String]

    package init(uid: UInt32, gid: UInt32, setIDs: Bool, cgroupProcsPaths: [String]) {
        self.uid = uid
        self.gid = gid
        self.setIDs = setIDs
        self.cgroupProcsPaths = cgroupProcsPaths
    }
}

/// What a process maps, from where, and what it tells its plugins.
package struct PluginHostConfiguration: Sendable {
    /// Searched in this order; each holds one directory a plugin. The first plugin with an id and version wins.
    package var directories: [String]
    /// References `id` or `id@version`. Nothing else is loaded.
    package var enabled: Set<String>
    /// References that are never loaded, whoever names them.
    package var disabled: Set<String>
    package var role: PluginRole
    /// What plugins must show before they are loaded.
    package var trust = PluginTrust()
    /// Which version of an id a reference without a version means, and whose routes are served; an id that is not here: the
    /// first that is found.
    package var active: [String: String] = [:]
    /// Plugin id to the object it gets through `trove.config/1`.
    package var settings: [String: JSONValue]
    /// The control plane's own routes, `METHOD /path` or `* /path`: a plugin with one of them is refused.
    package var coreRoutes: [String] = []
    /// Program and arguments to which a library's path is appended, for the trial load in a child; empty: no trial.
    package var probeCommand: [String]
    /// How long the trial may take.
    package var probeTimeout: Duration = .seconds(15)
    package var confinement: ProcessConfinement?
    /// How long a call may ignore that it was asked to stop, before its caller is answered without it.
    package var cancellationGrace: Duration = .seconds(10)
    /// The host product's version, told to plugins.
    package var hostVersion = Product.version
    /// What the services work with.
    package var services = PluginServices()
    /// Where the plugin runner keeps plugins' objects; nil: nowhere.
    package var objectDirectory: String?
    /// Plugin id to the servers that it may ask; a plugin that is not here may ask none.
    package var egress: [String: Set<EgressRule>] = [:]
    /// How plugins' requests leave this host.
    package var http = HTTPClientConfiguration()
    package var logger: Logger

    package init(
        directories: [String],
        enabled: Set<String>,
        disabled: Set<String> = [],
        role: PluginRole,
        settings: [String: JSONValue] = [:],
        probeCommand: [String],
        confinement: ProcessConfinement? = nil,
        logger: Logger
    ) {
        self.directories = directories
        self.enabled = enabled
        self.disabled = disabled
        self.role = role
        self.settings = settings
        self.probeCommand = probeCommand
        self.confinement = confinement
        self.logger = logger
    }
}
