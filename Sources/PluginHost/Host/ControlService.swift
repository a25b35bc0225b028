// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Carries a plugin's request to the control plane and waits for the answer on the plugin's thread.
protocol ControlBridge: Sendable {
    /// Blocks until there is an answer, or the call is stopped.
    func perform(_ operation: String, _ request: JSONValue, for call: PluginCall) -> Result<JSONValue, PluginError>
}

/// `trove.control/1`.
enum ControlService {
    static var table: trove_control_1 {
        trove_control_1(
            size: UInt32(MemoryLayout<trove_control_1>.size), flags: 0,
            call: { call, operation, request, response in
                ControlService.call(call, operation, request, response)
            }
        )
    }

    private static func call(
        _ token: OpaquePointer?, _ operation: trove_str, _ request: trove_str,
        _ response: UnsafeMutablePointer<trove_str>?
    ) -> trove_status {
        response?.pointee = trove_str()
        guard let call = CallTable.shared.find(token, "control.call") else {
            return trove_status(TROVE_PRECONDITION_FAILED)
        }
        func fail(_ error: PluginError) -> trove_status {
            call.record(error)
            return error.code.status
        }
        guard let bridge = call.control else {
            return fail(PluginError(.unsupported, pluginID: call.host.id, "only a route can use the control plane"))
        }
        let document: JSONValue
        do { document = try JSONValue(parsing: Borrowed.bytes(request)) } catch {
            return fail(PluginError(.invalidArgument, pluginID: call.host.id, "control request: \(error.message)"))
        }
        switch bridge.perform(Borrowed.text(operation), document, for: call) {
        case .success(let value):
            response?.pointee = call.borrow(value.serialized)
            return trove_status(TROVE_OK)
        case .failure(let error):
            return fail(error)
        }
    }
}
