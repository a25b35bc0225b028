// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// `trove.rpc/1`.
enum RPCService {
    static var table: trove_rpc_1 {
        trove_rpc_1(
            size: UInt32(MemoryLayout<trove_rpc_1>.size), flags: 0,
            call: { call, request, response in
                response?.pointee = trove_str()
                return ServiceCall.serve(call, "rpc.call") { call throws(PluginError) in
                    let answer = try RPCService.peer(call).call(try RPCService.message(request), PluginCaller(call))
                    response?.pointee = call.borrow(answer.serialized)
                }
            },
            cast: { call, request in
                ServiceCall.serve(call, "rpc.cast") { call throws(PluginError) in
                    try RPCService.peer(call).cast(try RPCService.message(request), PluginCaller(call))
                }
            }
        )
    }

    private static func peer(_ call: PluginCall) throws(PluginError) -> any PluginPeer {
        guard let peer = call.host.backing.peer else { throw ServiceCall.absent("other role") }
        return peer
    }

    private static func message(_ request: trove_str) throws(PluginError) -> PeerMessage {
        let document = try ServiceCall.object(request, "the rpc request", limit: Int(TROVE_RPC_PAYLOAD_MAX) + 1024)
        guard let method = document["method"]?.stringValue, isMethod(method) else {
            throw ServiceCall.invalid("method of the rpc request must be a lower-case word of at most 64 letters")
        }
        guard let payload = document["payload"] else {
            throw ServiceCall.invalid("payload of the rpc request is missing; it may be null")
        }
        guard payload.serialized.count <= Int(TROVE_RPC_PAYLOAD_MAX) else {
            throw ServiceCall.invalid("payload of the rpc request is larger than \(TROVE_RPC_PAYLOAD_MAX) bytes")
        }
        let instance = try ServiceCall.optionalText(document["instance_id"], "instance_id of the rpc request")
        return PeerMessage(instanceID: instance, method: method, payload: payload)
    }

    /// `^[a-z][a-z0-9_]{0,63}$`
    private static func isMethod(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= 64, (0x61...0x7a).contains(first) else { return false }
        return bytes.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}
