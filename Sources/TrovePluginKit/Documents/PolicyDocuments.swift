// SPDX-License-Identifier: Apache-2.0

/// What an instance needs: `requirements`.
public struct Requirements: Sendable {
    /// Ports the engine listens on; the first is the one that clients use.
    public var ports: [Int]
    /// Whether it keeps data on a volume.
    public var isVolumeRequired: Bool
    /// The smallest volume in GiB.
    public var minimumVolumeGiB: Int
    /// The smallest flavor in MiB.
    public var minimumMemoryMiB: Int
    /// Whether instances start from a template that `initialize` fills.
    public var hasTemplate: Bool
    /// Absolute paths that must exist where the engine runs.
    public var programs: [String]

    /// What an instance needs.
    public init(
        ports: [Int], isVolumeRequired: Bool, minimumVolumeGiB: Int, minimumMemoryMiB: Int, hasTemplate: Bool,
        programs: [String]
    ) {
        self.ports = ports
        self.isVolumeRequired = isVolumeRequired
        self.minimumVolumeGiB = minimumVolumeGiB
        self.minimumMemoryMiB = minimumMemoryMiB
        self.hasTemplate = hasTemplate
        self.programs = programs
    }

    var json: JSON {
        [
            "ports": .array(ports.map { .int(Int64($0)) }),
            "volume": ["required": .bool(isVolumeRequired), "minimum_gib": .int(Int64(minimumVolumeGiB))],
            "memory_mb_minimum": .int(Int64(minimumMemoryMiB)), "has_template": .bool(hasTemplate),
            "programs": .array(programs.map(JSON.string)),
        ]
    }
}

/// How large an instance is.
public struct InstanceSize: Sendable {
    /// Version of the datastore.
    public var version: String
    /// Memory in MiB.
    public var memoryMiB: Int
    /// Processors.
    public var vcpus: Int
    /// Volume in GiB; 0 without one.
    public var volumeGiB: Int

    init(_ json: JSON) throws {
        version = try json.text("version")
        memoryMiB = try json.size("memory_mb")
        vcpus = try json.size("vcpus", default: 1)
        volumeGiB = try json.size("volume_gib", default: 0)
    }
}

/// What a tenant asks for: `create-request`.
public struct CreateRequest: Sendable {
    /// How large it shall be.
    public var size: InstanceSize
    /// Databases to make.
    public var databases: [DatabaseDocument]
    /// Users to make.
    public var users: [UserDocument]
    /// Values of a configuration group.
    public var configuration: [String: JSON]

    init(_ json: JSON) throws {
        size = try InstanceSize(json)
        databases = try (json["databases"]?.arrayValue ?? []).map(DatabaseDocument.init)
        users = try (json["users"]?.arrayValue ?? []).map(UserDocument.init)
        configuration = json["configuration"]?.objectValue ?? [:]
    }
}

/// For what a configuration is rendered: `configuration-request`.
public struct ConfigurationRequest: Sendable {
    /// How large the instance is.
    public var size: InstanceSize
    /// UUID text.
    public var instanceID: String
    /// Values of a configuration group that win over the rendered ones.
    public var overrides: [String: JSON]

    init(_ json: JSON) throws {
        size = try InstanceSize(json)
        instanceID = try json.text("instance_id")
        overrides = json["overrides"]?.objectValue ?? [:]
    }
}
