// SPDX-License-Identifier: Apache-2.0

package import HTTPClient
package import Model
package import PluginHost

/// What one agent is told about its instance.
///
/// Shape: the members of `guest.json`, which the compute driver writes; see `init(json:)`.
package struct GuestConfiguration: Sendable {
    package enum Mode: String, Sendable {
        /// Serve the instance until told to stop.
        case serve
        /// Fill a template's data directory and end.
        case initialize
    }

    package var mode: Mode
    package var instanceID: String
    /// Whose instance it is; empty when that is not said.
    package var projectID = ""
    package var datastoreName: String
    package var datastoreVersion: String

    /// References `id` or `id@version`.
    package var datastorePlugin: String
    package var backupPlugin: String?
    /// Plugins beside these two, for their actions and modules.
    package var extraPlugins: [String] = []
    package var pluginDirectories: [String]
    package var pluginSettings: [String: JSONValue]
    package var disabledPlugins: [String]
    /// What plugins must show before they are loaded.
    package var pluginTrust = PluginTrust()
    /// Plugin id to the servers that it may ask.
    package var pluginEgress: [String: Set<EgressRule>] = [:]
    /// How plugins' requests leave this host.
    package var pluginHTTP = HTTPClientConfiguration()
    /// Where plugins' own objects go; empty: nowhere.
    package var pluginObjectDirectory = ""
    /// Where published logs go; empty: nowhere.
    package var logObjectDirectory = ""
    /// Version by id that a reference without one means.
    package var activePlugins: [String: String] = [:]

    package var address: String
    package var port: Int
    package var ports: [Int]

    /// Whom the engine runs as.
    package var uid: UInt32
    package var gid: UInt32
    /// Whether the agent can and shall change ids.
    package var setIDs: Bool
    package var memoryMB: Int
    package var vcpus: Int
    /// `cgroup.procs` files that the engine joins.
    package var cgroupProcs: [String]
    /// `cgroup.kill` files of the engine's cgroups.
    package var cgroupKill: [String]
    /// Files that count kills for lack of memory.
    package var oomCounters: [String]

    package var dataDirectory: String
    package var runDirectory: String
    package var logDirectory: String
    package var stateDirectory: String

    /// nil in `initialize`.
    package var bus: GuestBusConfiguration?
    /// Where backups go; empty without backups.
    package var objectStoreDirectory: String
    package var reportInterval: Duration
}

extension GuestConfiguration {
    /// The instance document that every session of a plugin opens with.
    ///
    /// - Parameter pluginID: `state_dir` is a directory of this plugin's own.
    package func instanceDocument(pluginID: String) -> [String: JSONValue] {
        [
            "instance_id": .string(instanceID),
            "datastore": ["name": .string(datastoreName), "version": .string(datastoreVersion)],
            "address": .string(address), "port": .int(Int64(port)),
            "data_dir": .string(dataDirectory), "run_dir": .string(runDirectory),
            "state_dir": .string(pluginStateDirectory(pluginID)), "log_dir": .string(logDirectory),
            "memory_mb": .int(Int64(memoryMB)), "uid": .int(Int64(uid)), "gid": .int(Int64(gid)),
        ]
    }

    /// Where a plugin keeps its own secrets; one directory a plugin, 0700.
    package func pluginStateDirectory(_ pluginID: String) -> String { stateDirectory + "/plugins/" + pluginID }

    /// A file or directory of the agent's own.
    func state(_ name: String) -> String { stateDirectory + "/" + name }

    /// The id in a reference `id` or `id@version`.
    static func pluginID(_ reference: String) -> String {
        reference.split(separator: "@", maxSplits: 1).first.map(String.init) ?? reference
    }
}
