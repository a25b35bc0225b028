// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import PluginHost

/// What the worker made of the operator's decisions, for commands that wait for it.
///
/// Shape: `{"format": 1, "generation": n, "pid": int, "error": text or null, "plugins": [{"id", "version", "sha256",
/// "signer", "active", "loaded"}], "refusals": [refusal]}`.
struct PluginStatus: Sendable {
    var generation: Int
    var pid: Int
    /// Why the decisions were not taken; what ran before runs on.
    var error: String?
    var plugins: [PluginDescription]
    var refusals: [PluginRefusal]

    /// - Parameter parent: Of the process that says so, when several serve the home; nil for the only one.
    func write(_ home: Home, parent: Int32?) {
        let path = parent.map(home.pluginStatus(of:)) ?? home.pluginStatus
        let json: JSONValue = [
            "format": 1, "generation": .int(Int64(generation)), "pid": .int(Int64(pid)), "error": .optional(error),
            "plugins": .array(plugins.map(Self.json)), "refusals": .array(refusals.map(\.json)),
        ]
        if !PrivateFile.write(json.serialized, to: path) {
            Output.error("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// What the process with `holder`'s lock said last; nil without a file that can be read.
    static func read(_ home: Home, _ holder: LockHolder) -> PluginStatus? {
        read(HomeLock.holder(home) == holder ? home.pluginStatus : home.pluginStatus(of: holder.pid))
    }

    /// What one of those that serve the home said last; nil when none does.
    static func any(_ home: Home) -> PluginStatus? {
        HomeHolders.all(home).lazy.compactMap { read(home, $0) }.first
    }

    private static func read(_ path: String) -> PluginStatus? {
        guard let bytes = Files.contents(path, limit: 16 << 20), let json = try? JSONValue(parsing: bytes),
            json["format"]?.intValue == 1, let generation = json["generation"]?.intValue
        else { return nil }
        return PluginStatus(
            generation: generation, pid: json["pid"]?.intValue ?? 0, error: json["error"]?.stringValue,
            plugins: (json["plugins"]?.arrayValue ?? []).map(description),
            refusals: (json["refusals"]?.arrayValue ?? []).map(PluginRefusal.init(json:)))
    }

    private static func json(_ plugin: PluginDescription) -> JSONValue {
        [
            "id": .string(plugin.id), "version": .string(plugin.version), "sha256": .string(plugin.sha256),
            "signer": .optional(plugin.signer), "active": .bool(plugin.isActive), "loaded": .bool(plugin.isLoaded),
        ]
    }

    private static func description(_ value: JSONValue) -> PluginDescription {
        PluginDescription(
            id: value["id"]?.stringValue ?? "", version: value["version"]?.stringValue ?? "",
            sha256: value["sha256"]?.stringValue ?? "", roles: [], provides: [], directory: "",
            signer: value["signer"]?.stringValue, isActive: value["active"]?.boolValue ?? false,
            isLoaded: value["loaded"]?.boolValue ?? false)
    }
}
