// SPDX-License-Identifier: Apache-2.0

package import Model

/// One operation that is told about, with all that has been said of it so far.
///
/// Shape of the payload: `{"tenant_id", "client_ip", "server_ip", "server_type", "request_id", …traits}`. It only grows: an
/// end has what the start had. Members that are secrets by their name are blotted out.
package struct Operation: Sendable, Hashable {
    package let event: OperationEvent
    package private(set) var payload: [String: JSONValue]
    package let context: RequestContext

    /// An operation that begins; traits that the event must have and that are not given are null.
    ///
    /// - Parameters:
    ///   - clientIP: Address of who asked, nil when nobody did over the network.
    ///   - serverIP: Host and port that were asked.
    package init(
        _ event: OperationEvent, context: RequestContext, clientIP: String? = nil, serverIP: String? = nil,
        _ traits: [String: JSONValue]
    ) {
        self.event = event
        self.context = context
        payload = [
            "tenant_id": .string(context.projectID), "client_ip": .optional(clientIP), "server_ip": .optional(serverIP),
            "request_id": .string(context.requestID),
        ]
        for name in event.startTraits { payload[name] = .null }
        add(traits)
    }

    /// An operation that goes on where `payload` was left.
    package init(_ event: OperationEvent, context: RequestContext, continuing payload: [String: JSONValue]) {
        self.event = event
        self.context = context
        self.payload = payload
    }

    /// The operation of a journal row, told until now in the row's input; nil when nobody has told of it yet.
    package init?(_ event: OperationEvent, context: RequestContext, input: JSONValue) {
        guard let payload = input[Self.member]?.objectValue else { return nil }
        self.init(event, context: context, continuing: payload)
    }

    /// `input` with what is known, for whoever tells of the operation's end.
    package func kept(in input: JSONValue) -> JSONValue {
        var members = input.objectValue ?? [:]
        members[Self.member] = .object(payload)
        return .object(members)
    }

    private static let member = "notification"

    /// Adds to what is known.
    package mutating func add(_ traits: [String: JSONValue]) {
        payload.merge(JSONValue.object(traits).redacted.objectValue ?? [:]) { $1 }
    }
}

extension Notifier {
    /// `dbaas.<event>.start`
    package func start(_ operation: Operation, by server: ServerType) -> NotificationMessage {
        message(operation, "start", by: server, [:])
    }

    /// `dbaas.<event>.end`
    package func end(_ operation: Operation, by server: ServerType) -> NotificationMessage {
        message(operation, "end", by: server, [:])
    }

    /// `dbaas.<event>.error`
    ///
    /// - Parameters:
    ///   - message: The sentence that the tenant reads.
    ///   - kind: What failed, such as a step's name; the last line of the field's traceback.
    package func error(
        _ operation: Operation, by server: ServerType, message text: String, kind: String
    ) -> NotificationMessage {
        message(
            operation, "error", by: server,
            ["message": .string(text), "exception": [.string("\(kind): \(text)\n")]]
        )
    }

    private func message(
        _ operation: Operation, _ suffix: String, by server: ServerType, _ more: [String: JSONValue]
    ) -> NotificationMessage {
        var payload = operation.payload.merging(more) { $1 }
        payload["server_type"] = .string(server.rawValue)
        return make(
            "dbaas.\(operation.event.rawValue).\(suffix)", publisherID: "\(server.rawValue).\(configuration.host)",
            payload, context: operation.context
        )
    }
}
