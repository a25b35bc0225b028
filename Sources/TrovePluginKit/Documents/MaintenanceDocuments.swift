// SPDX-License-Identifier: Apache-2.0

/// A change of the datastore version: `upgrade-request`.
public struct UpgradeRequest: Sendable {
    /// The version that the instance has.
    public var from: String
    /// The version that it gets.
    public var to: String
    /// The configuration of the new version.
    public var configContents: String?

    init(_ json: JSON) throws {
        from = try json.text("from")
        to = try json.text("to")
        configContents = try json.optionalText("config_contents")
    }
}

/// What a change of the datastore version means: `upgrade-plan`.
public struct UpgradePlan: Sendable {
    /// Whether the engine is stopped and started.
    public var isRestart: Bool
    /// Rough time in seconds that the engine is away; `nil` if it cannot be told.
    public var seconds: Int?
    /// Whether the data can go back without a backup.
    public var isReversible: Bool

    /// What a change means.
    public init(isRestart: Bool, seconds: Int?, isReversible: Bool) {
        self.isRestart = isRestart
        self.seconds = seconds
        self.isReversible = isReversible
    }

    var json: JSON {
        .members([
            "restart": .bool(isRestart), "seconds": seconds.map { .int(Int64($0)) }, "reversible": .bool(isReversible),
        ])
    }
}

/// One log of an engine: an item of `log-list`.
public struct EngineLog: Sendable {
    /// Who decides whether it is on.
    public enum Kind: String, Sendable {
        /// Always on.
        case system = "sys"
        /// On if its instance's owner says so.
        case user
    }

    /// Its name.
    public var name: String
    /// Who decides.
    public var kind: Kind
    /// Absolute path, below the log or the data directory.
    public var file: String
    /// Whether it is on.
    public var isEnabled: Bool
    /// What it holds, in a few words.
    public var summary: String

    /// A log.
    public init(name: String, kind: Kind, file: String, isEnabled: Bool, summary: String) {
        self.name = name
        self.kind = kind
        self.file = file
        self.isEnabled = isEnabled
        self.summary = summary
    }

    var json: JSON {
        [
            "name": .string(name), "type": .string(kind.rawValue), "file": .string(file), "enabled": .bool(isEnabled),
            "summary": .string(summary),
        ]
    }
}

/// One thing of an engine that may be configured: an item of `parameters`.
public struct Parameter: Sendable {
    /// What its values are.
    public enum Kind: String, Sendable {
        case integer
        case string
        case boolean
        case float
    }

    /// Its name as the engine has it.
    public var name: String
    /// What its values are.
    public var kind: Kind
    /// The least value of a number.
    public var minimum: Double?
    /// The greatest value of a number.
    public var maximum: Double?
    /// The only values there are; `nil` for no such list.
    public var choices: [JSON]?
    /// The value without a configuration; `nil` if it depends, e.g. on the size.
    public var initial: JSON?
    /// Whether a change takes effect at the next start only.
    public var isRestartRequired: Bool
    /// What it does, in a few words.
    public var summary: String

    /// A parameter.
    public init(
        name: String, kind: Kind, minimum: Double? = nil, maximum: Double? = nil, choices: [JSON]? = nil,
        initial: JSON? = nil, isRestartRequired: Bool, summary: String
    ) {
        self.name = name
        self.kind = kind
        self.minimum = minimum
        self.maximum = maximum
        self.choices = choices
        self.initial = initial
        self.isRestartRequired = isRestartRequired
        self.summary = summary
    }

    var json: JSON {
        .members([
            "name": .string(name), "type": .string(kind.rawValue), "minimum": minimum.map(number),
            "maximum": maximum.map(number), "enum": choices.map(JSON.array), "default": initial,
            "restart_required": .bool(isRestartRequired), "summary": .string(summary),
        ])
    }

    /// A whole number is written as one.
    private func number(_ value: Double) -> JSON {
        Int64(exactly: value).map(JSON.int) ?? .double(value)
    }
}
