// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// The arguments of `prepare`.
///
/// Shape on the bus: 14 members, `memory_mb` int, `packages` list of texts, `databases` and `users` with underscored names,
/// `device_path` text or null, `mount_point` text, `backup_info` `BackupInfo` or null, `config_contents` text, `root_password`
/// secret or null, `overrides` object or null, `cluster_config`, `snapshot` and `modules` null, `ds_version` text.
/// Source: guest RPC of the reference service, `prepare` 1.1.
package struct PrepareArguments: Sendable {
    package var memoryMB: Int
    package var packages: [String]
    package var databases: [DatabaseSpecification]
    package var users: [UserSpecification]
    package var devicePath: String?
    package var mountPoint: String
    /// `BackupInfo.json` of what to restore; null for an empty instance.
    package var backupInfo: JSONValue
    package var configContents: String
    package var rootPassword: Secret?
    package var overrides: JSONValue
    package var dsVersion: String

    package init(
        memoryMB: Int, packages: [String] = [], databases: [DatabaseSpecification] = [],
        users: [UserSpecification] = [], devicePath: String? = nil, mountPoint: String, backupInfo: JSONValue = .null,
        configContents: String, rootPassword: Secret? = nil, overrides: JSONValue = .null, dsVersion: String
    ) {
        self.memoryMB = memoryMB
        self.packages = packages
        self.databases = databases
        self.users = users
        self.devicePath = devicePath
        self.mountPoint = mountPoint
        self.backupInfo = backupInfo
        self.configContents = configContents
        self.rootPassword = rootPassword
        self.overrides = overrides
        self.dsVersion = dsVersion
    }

    /// The bus form; it holds passwords in clear.
    package var arguments: [String: JSONValue] {
        [
            "memory_mb": .int(Int64(memoryMB)), "packages": .array(packages.map(JSONValue.string)),
            "databases": .array(databases.map(\.busForm)), "users": .array(users.map(\.busForm)),
            "device_path": .optional(devicePath), "mount_point": .string(mountPoint), "backup_info": backupInfo,
            "config_contents": .string(configContents), "root_password": .optional(rootPassword?.revealed),
            "overrides": overrides, "cluster_config": .null, "snapshot": .null, "modules": .null,
            "ds_version": .string(dsVersion),
        ]
    }

    /// Reads the bus form.
    ///
    /// Cluster, replica and module arguments must be null or empty: this guest has no such verbs, and to ignore them would
    /// make something else than was asked for.
    ///
    /// - Throws: `builtins.TypeError` naming the argument, never its value.
    package init(arguments: [String: JSONValue]) throws(RPCFault) {
        try GuestVerb.prepare.arguments.check(arguments, method: "prepare")
        for name in ["cluster_config", "snapshot", "modules"] where !Self.isEmpty(arguments[name]) {
            throw .valueError("prepare() argument '\(name)' is not supported by this guest")
        }
        guard let memoryMB = arguments["memory_mb"]?.intValue, memoryMB > 0 else {
            throw .typeError("prepare() argument 'memory_mb' must be a positive integer")
        }
        self.init(
            memoryMB: memoryMB,
            packages: try Self.packages(arguments["packages"] ?? .null),
            databases: try Self.list(arguments, "databases", DatabaseSpecification.init(busForm:)),
            users: try Self.list(arguments, "users", UserSpecification.init(busForm:)),
            devicePath: try Self.optionalText(arguments, "device_path"),
            mountPoint: try arguments.text("mount_point", method: "prepare"),
            backupInfo: arguments["backup_info"] ?? .null,
            configContents: try arguments.text("config_contents", method: "prepare"),
            rootPassword: try Self.optionalText(arguments, "root_password").map { Secret($0) },
            overrides: arguments["overrides"] ?? .null,
            dsVersion: try Self.optionalText(arguments, "ds_version") ?? ""
        )
    }

    private static func isEmpty(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        return value.isNull || value == [:] || value == []
    }

    private static func packages(_ value: JSONValue) throws(RPCFault) -> [String] {
        switch value {
        case .null: return []
        case .string(let text): return text.split(separator: " ").map(String.init)
        case .array(let items):
            let names = items.compactMap(\.stringValue)
            if names.count == items.count { return names }
        default: break
        }
        throw .typeError("prepare() argument 'packages' must be a list of strings")
    }

    private static func list<Element>(
        _ arguments: [String: JSONValue], _ name: String, _ make: (JSONValue) -> Element?
    ) throws(RPCFault) -> [Element] {
        let value = arguments[name] ?? .null
        let items = value.isNull ? [] : value.arrayValue
        guard let items, case let made = items.compactMap(make), made.count == items.count else {
            throw .typeError("prepare() argument '\(name)' must be a list of \(name) with their names")
        }
        return made
    }

    private static func optionalText(_ arguments: [String: JSONValue], _ name: String) throws(RPCFault) -> String? {
        guard let value = arguments[name], !value.isNull else { return nil }
        return try arguments.text(name, method: "prepare")
    }
}
