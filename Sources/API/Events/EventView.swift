// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// How an event is shown: `{"id", "event", "time", "project_id", "instance_id", "resource_id", "operation_id", "operation",
/// "step", "attempt", "cause", "seconds", "request_id", "user_id"}`.
enum EventView {
    static let schema = Schema.named(
        "Event",
        .object(
            [
                "id": .integer(minimum: 1),
                "event": .enumeration(OperationEventRecord.Kind.allCases.map(\.rawValue)), "time": .string(),
                "project_id": .string(), "instance_id": .oneOf([.string(), .null]), "resource_id": .string(),
                "operation_id": .string(), "operation": .string(), "step": .oneOf([.string(), .null]),
                "attempt": .integer(minimum: 0), "cause": .oneOf([.string(), .null]),
                "seconds": .oneOf([.number, .null]), "request_id": .string(), "user_id": .string(),
            ],
            required: [
                "id", "event", "time", "project_id", "instance_id", "resource_id", "operation_id", "operation", "step",
                "attempt", "cause", "seconds", "request_id", "user_id",
            ]))

    static func write(_ event: OperationEventRecord, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", event.position)
            writer.member("event", event.kind.rawValue)
            writer.member("time", event.created)
            writer.member("project_id", event.projectID)
            writer.member("instance_id", event.instanceID)
            writer.member("resource_id", event.resourceID)
            writer.member("operation_id", event.operationID)
            writer.member("operation", event.flow)
            writer.member("step", event.step.isEmpty ? nil : event.step)
            writer.member("attempt", event.attempt)
            writer.member("cause", event.cause)
            writer.key("seconds")
            writer.value(seconds(event.duration))
            writer.member("request_id", event.requestID)
            writer.member("user_id", event.userID)
        }
    }

    /// With milliseconds.
    static func seconds(_ duration: Duration?) -> JSONValue {
        guard let duration else { return .null }
        return .double(Double(max(0, duration.microseconds) / 1000) / 1000)
    }

    /// The event as a stream has it. A JSON document has no line ends.
    static func message(_ event: OperationEventRecord) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 512)
        write(event, &writer)
        return Array("id: \(event.position)\nevent: \(event.kind.rawValue)\ndata: ".utf8) + writer.bytes
            + Array("\n\n".utf8)
    }
}
