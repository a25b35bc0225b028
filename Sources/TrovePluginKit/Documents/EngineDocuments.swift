// SPDX-License-Identifier: Apache-2.0

/// How a data directory is made ready for its first start: `prepare-request`.
public struct PrepareRequest: Sendable {
    /// The engine's configuration as the policy rendered it.
    public var configContents: String
    /// Values of a configuration group that win over it.
    public var overrides: [String: JSON]
    /// Whether the data directory comes from a backup.
    public var isRestored: Bool
    /// The tenant's superuser is enabled with this password. Secret.
    public var rootPassword: String?

    init(_ json: JSON) throws {
        configContents = try json.text("config_contents")
        overrides = json["overrides"]?.objectValue ?? [:]
        isRestored = json["restored"]?.boolValue ?? false
        rootPassword = try json.optionalText("root_password")
    }
}

/// How the host starts and stops the engine: `launch`.
public struct LaunchDocument: Sendable {
    /// How the host learns that the engine is up.
    public enum Readiness: String, Sendable {
        /// `READY=1` on `$NOTIFY_SOCKET`.
        case notify
        /// The port takes connections.
        case tcp
    }

    /// Absolute path and arguments, without secrets.
    public var argv: [String]
    /// The engine's environment, beside what the host gives.
    public var environment: [String: String]
    /// How the host learns that the engine is up.
    public var ready: Readiness
    /// The engine's port.
    public var port: Int
    /// The signal for a clean stop, without `SIG`.
    public var stopSignal: String
    /// Seconds until a clean stop is given up.
    public var stopTimeoutSeconds: Int
    /// Seconds until a start is given up.
    public var startTimeoutSeconds: Int

    /// How to start, to know it is up, and to stop.
    public init(
        argv: [String], environment: [String: String] = [:], ready: Readiness, port: Int, stopSignal: String = "TERM",
        stopTimeoutSeconds: Int = 60, startTimeoutSeconds: Int = 120
    ) {
        self.argv = argv
        self.environment = environment
        self.ready = ready
        self.port = port
        self.stopSignal = stopSignal
        self.stopTimeoutSeconds = stopTimeoutSeconds
        self.startTimeoutSeconds = startTimeoutSeconds
    }

    var json: JSON {
        [
            "argv": .array(argv.map(JSON.string)), "env": .object(environment.mapValues(JSON.string)),
            "ready": .string(ready.rawValue), "port": .int(Int64(port)), "stop_signal": .string(stopSignal),
            "stop_timeout_s": .int(Int64(stopTimeoutSeconds)), "start_timeout_s": .int(Int64(startTimeoutSeconds)),
        ]
    }
}

/// The engine's state as a plugin sees it.
public struct EngineStatus: Sendable {
    /// What the engine does.
    public enum Health: UInt32, Sendable {
        /// Cannot be told.
        case unknown = 0
        /// Answers over the instance's own address.
        case healthy = 1
        /// Up, not yet answering.
        case starting = 2
        /// Up, refuses work: read-only, full, out of connections.
        case blocked = 3
        /// Does not answer.
        case shutdown = 4
    }

    /// What the engine does.
    public var health: Health
    /// Size of the data in bytes; 0 for not known.
    public var dataBytes: UInt64
    /// Clients connected now.
    public var connections: UInt32

    /// A state, and what is known besides.
    public init(_ health: Health, dataBytes: UInt64 = 0, connections: UInt32 = 0) {
        self.health = health
        self.dataBytes = dataBytes
        self.connections = connections
    }
}

/// What a backup strategy needs to reach the engine: `backup-access`.
public struct BackupAccess: Sendable {
    /// Path of the engine's Unix socket.
    public var socket: String?
    /// The instance's own address.
    public var address: String
    /// The engine's port.
    public var port: Int
    /// Whom to log in as.
    public var user: String
    /// Secret.
    public var password: String
    /// The engine's data.
    public var dataDirectory: String
    /// The engine's configuration file.
    public var configFile: String?

    /// How to reach the engine.
    public init(
        socket: String?, address: String, port: Int, user: String, password: String, dataDirectory: String,
        configFile: String?
    ) {
        self.socket = socket
        self.address = address
        self.port = port
        self.user = user
        self.password = password
        self.dataDirectory = dataDirectory
        self.configFile = configFile
    }

    init(_ json: JSON) throws {
        self.init(
            socket: try json.optionalText("socket"), address: try json.text("address"),
            port: try json.integer("port"), user: try json.text("user"), password: try json.text("password"),
            dataDirectory: try json.text("data_dir"), configFile: try json.optionalText("config_file"))
    }

    var json: JSON {
        .members([
            "socket": socket.map(JSON.string), "address": .string(address), "port": .int(Int64(port)),
            "user": .string(user), "password": .string(password), "data_dir": .string(dataDirectory),
            "config_file": configFile.map(JSON.string),
        ])
    }
}
