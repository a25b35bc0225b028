// SPDX-License-Identifier: Apache-2.0

/// One instance as its plugins see it: `instance`.
public struct InstanceDocument: Sendable {
    /// UUID text.
    public var instanceID: String
    /// Name and version of the datastore.
    public var datastore: (name: String, version: String)
    /// The instance's own address.
    public var address: String
    /// The engine's port.
    public var port: Int
    /// The engine's data, owned by its uid.
    public var dataDirectory: String
    /// Sockets and files for one start; the engine's uid may write here; lost when the machine restarts.
    public var runDirectory: String
    /// The plugin's own secrets; the agent's alone.
    public var stateDirectory: String
    /// Where logs go.
    public var logDirectory: String
    /// Memory of the flavor in MiB.
    public var memoryMiB: Int
    /// Whom the engine runs as.
    public var uid: UInt32
    /// The engine's group.
    public var gid: UInt32

    /// Reads the document.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` naming the member.
    public init(_ json: JSON) throws {
        instanceID = try json.text("instance_id")
        let store = json["datastore"] ?? .null
        datastore = (try store.text("name"), try store.text("version"))
        address = try json.text("address")
        port = try json.integer("port")
        dataDirectory = try json.text("data_dir")
        runDirectory = try json.text("run_dir")
        stateDirectory = try json.text("state_dir")
        logDirectory = try json.text("log_dir")
        memoryMiB = try json.size("memory_mb")
        guard let uid = UInt32(exactly: try json.integer("uid")), let gid = UInt32(exactly: try json.integer("gid"))
        else { throw PluginFailure(.invalidArgument, "uid and gid must be 0 to 4294967295") }
        self.uid = uid
        self.gid = gid
    }
}
