// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model

/// Which half of a plugin a process maps.
package enum PluginRole: String, Sendable, Hashable, CaseIterable {
    /// The guest agent: engine verbs, backups.
    case guest
    /// The plugin runner of the control plane: policy, routes.
    case control

    /// Ids of the service tables that the host offers in this role.
    package var services: Set<String> {
        switch self {
        case .guest: ["trove.log/1", "trove.config/1", "trove.process/1"]
        case .control: ["trove.log/1", "trove.config/1", "trove.control/1"]
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
    /// Plugin id to the object it gets through `trove.config/1`.
    package var settings: [String: JSONValue]
    /// Program and arguments to which a library's path is appended, for the trial load in a child; empty: no trial.
    package var probeCommand: [String]
    /// How long the trial may take.
    package var probeTimeout: Duration = .seconds(15)
    package var confinement: ProcessConfinement?
    /// How long a call may ignore that it was asked to stop, before its caller is answered without it.
    package var cancellationGrace: Duration = .seconds(10)
    /// The host product's version, told to plugins.
    package var hostVersion: String = "1.0.0"
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
