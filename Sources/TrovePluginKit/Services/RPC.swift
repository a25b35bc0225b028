// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Reaches the same plugin in the other role. `trove.rpc/1`.
public struct RPC: Sendable {
    /// Sends a message and waits for what the peer emits.
    ///
    /// - Parameters:
    ///   - method: A lower-case word.
    ///   - payload: At most 1 MiB as text.
    ///   - instanceID: Which guest; `nil` in a guest, whose peer is in the control plane.
    /// - Throws: What the peer failed with; the host has recorded it, so letting it pass is enough.
    public func call(_ method: String, _ payload: JSON, instanceID: String? = nil, call: Call) throws -> JSON {
        guard let send = Runtime.rpc?.pointee.call else { throw Host.missing("trove.rpc/1") }
        var response = trove_str(ptr: nil, len: 0)
        let status = Self.request(method, payload, instanceID).withTroveString { send(call.handle, $0, &response) }
        try Host.check(status, "the peer failed")
        return response.len == 0 ? .null : try JSON(borrowed: response)
    }

    /// The same without an answer; returns once the message is on its way.
    public func cast(_ method: String, _ payload: JSON, instanceID: String? = nil, call: Call) throws {
        guard let send = Runtime.rpc?.pointee.cast else { throw Host.missing("trove.rpc/1") }
        let status = Self.request(method, payload, instanceID).withTroveString { send(call.handle, $0) }
        try Host.check(status, "the message could not be sent")
    }

    private static func request(_ method: String, _ payload: JSON, _ instanceID: String?) -> String {
        JSON.members([
            "instance_id": instanceID.map(JSON.string), "method": .string(method), "payload": payload,
        ]).text
    }
}

extension Host {
    /// The same plugin in the other role.
    public static let rpc = RPC()
}

/// A message of the same plugin in the other role: `rpc-message`.
public struct PeerMessage: Sendable {
    /// The role that sent it.
    public enum Role: String, Sendable {
        /// The plugin's half beside an engine.
        case guest
        /// The plugin's half in the control plane.
        case control
    }

    /// Who sent it.
    public var sender: Role
    /// The instance that it is about.
    public var instanceID: String
    /// A lower-case word.
    public var method: String
    /// Any value.
    public var payload: JSON

    init(_ json: JSON) throws {
        guard let sender = Role(rawValue: try json.text("from")) else {
            throw PluginFailure(.invalidArgument, "the member 'from' must be guest or control")
        }
        self.sender = sender
        instanceID = try json.text("instance_id")
        method = try json.text("method")
        payload = json["payload"] ?? .null
    }
}

extension PluginExtension {
    /// Answers the same plugin in the other role, as `trove.rpc-peer/1`.
    ///
    /// - Parameter handle: Runs on worker threads, several at once; what it returns for a message without an answer is
    ///   dropped, and such a message may come twice.
    public static func rpcPeer(_ handle: @escaping (PeerMessage, Call) throws -> JSON) -> PluginExtension {
        PeerTable.handle = handle
        return PluginExtension(
            TROVE_EXT_RPC_PEER,
            trove_rpc_peer_1(
                size: UInt32(MemoryLayout<trove_rpc_peer_1>.size), flags: 0,
                handle: { handle, request in
                    TrovePluginKit.serve(handle) { call in
                        guard let answer = PeerTable.handle else {
                            throw PluginFailure(.unsupported, "the plugin answers no peer")
                        }
                        try call.emit(try answer(PeerMessage(try JSON(borrowed: request)), call))
                    }
                }))
    }
}

private enum PeerTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var handle: ((PeerMessage, Call) throws -> JSON)?
}
