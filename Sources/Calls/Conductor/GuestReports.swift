// SPDX-License-Identifier: Apache-2.0

package import Messaging
package import Model

/// What a guest says about its engine.
///
/// Shape: `{"instance_id", "payload": {"service_status": text, "volume_used"?: bytes}, "sent": seconds}`.
package struct HeartbeatReport: Sendable, Hashable {
    package var instanceID: String
    /// nil when the guest does not say; only the time is of interest then.
    package var status: ServiceStatus?
    package var volumeUsedBytes: Int?
    /// When the guest said it; reports that are not newer than the last are to be dropped. nil from senders without a clock.
    package var sent: Timestamp?

    package init(instanceID: String, status: ServiceStatus?, volumeUsedBytes: Int?, sent: Timestamp?) {
        self.instanceID = instanceID
        self.status = status
        self.volumeUsedBytes = volumeUsedBytes
        self.sent = sent
    }

    package var arguments: [String: JSONValue] {
        var payload: [String: JSONValue] = ["service_status": .optional(status?.text)]
        if let volumeUsedBytes { payload["volume_used"] = .int(Int64(volumeUsedBytes)) }
        var arguments: [String: JSONValue] = ["instance_id": .string(instanceID), "payload": .object(payload)]
        if let sent { arguments["sent"] = .double(sent.seconds) }
        return arguments
    }

    /// - Throws: `builtins.TypeError` for a wrong type, `builtins.ValueError` for an unknown status.
    package init(arguments: [String: JSONValue]) throws(RPCFault) {
        let method = ConductorVerb.heartbeat.rawValue
        guard case .object(let payload)? = arguments["payload"] else {
            throw .typeError("\(method)() argument 'payload' must be an object")
        }
        var status: ServiceStatus?
        if let word = payload["service_status"], !word.isNull {
            status = word.stringValue.flatMap { ServiceStatus(text: $0) }
            guard status != nil else { throw .valueError("\(method)() got an unknown service_status") }
        }
        self.init(
            instanceID: try arguments.text("instance_id", method: method), status: status,
            volumeUsedBytes: payload["volume_used"]?.intValue, sent: try arguments.sent(method: method)
        )
    }
}

/// That root was enabled or disabled on an instance.
///
/// Shape: `{"instance_id", "user": id or null, "enabled": bool}`; without `enabled`, as older guests send it, it was enabled.
package struct RootReport: Sendable, Hashable {
    package var instanceID: String
    package var userID: String?
    package var isEnabled: Bool

    package init(instanceID: String, userID: String?, isEnabled: Bool) {
        self.instanceID = instanceID
        self.userID = userID
        self.isEnabled = isEnabled
    }

    package var arguments: [String: JSONValue] {
        ["instance_id": .string(instanceID), "user": .optional(userID), "enabled": .bool(isEnabled)]
    }

    package init(arguments: [String: JSONValue]) throws(RPCFault) {
        self.init(
            instanceID: try arguments.text("instance_id", method: ConductorVerb.reportRoot.rawValue),
            userID: arguments["user"]?.stringValue, isEnabled: arguments["enabled"]?.boolValue ?? true
        )
    }
}

/// Why something failed on an instance, for its owner.
///
/// Shape: `{"serialized_notification": {"instance_id", "request_id", "server_type": "guest"}, "message": text, "exception":
/// [lines of details]}`.
package struct FaultReport: Sendable, Hashable {
    package var instanceID: String
    package var message: String
    package var details: String

    package init(instanceID: String, message: String, details: String) {
        self.instanceID = instanceID
        self.message = message
        self.details = details
    }

    package func arguments(requestID: String) -> [String: JSONValue] {
        let lines = details.split(separator: "\n", omittingEmptySubsequences: false)
        return [
            "serialized_notification": [
                "instance_id": .string(instanceID), "request_id": .string(requestID), "server_type": "guest",
            ],
            "message": .string(message),
            "exception": .array(details.isEmpty ? [] : lines.map { .string(String($0)) }),
        ]
    }

    package init(arguments: [String: JSONValue]) throws(RPCFault) {
        let method = ConductorVerb.reportFault.rawValue
        guard let instanceID = arguments["serialized_notification"]?["instance_id"]?.stringValue else {
            throw .typeError("\(method)() argument 'serialized_notification' must name the instance_id")
        }
        let lines = (arguments["exception"]?.arrayValue ?? []).compactMap(\.stringValue)
        self.init(
            instanceID: instanceID, message: try arguments.text("message", method: method),
            details: lines.map { $0.last == "\n" ? String($0.dropLast()) : $0 }.joined(separator: "\n")
        )
    }
}

extension [String: JSONValue] {
    /// The time in `sent`: seconds since 1970, whole or with fraction; nil without one.
    ///
    /// - Throws: `builtins.TypeError` for anything else.
    package func sent(method: String) throws(RPCFault) -> Timestamp? {
        guard let value = self["sent"], !value.isNull else { return nil }
        guard let seconds = value.doubleValue, abs(seconds) < 9_000_000_000_000 else {
            throw .typeError("\(method)() argument 'sent' must be seconds since 1970")
        }
        return Timestamp(microseconds: Int64((seconds * 1_000_000).rounded()))
    }
}
