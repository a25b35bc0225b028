// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import StateStore

/// `/instances/{id}/log`: the engine's logs, as the instance's guest has them. Source: REST contract §6.
enum GuestLogRoutes {
    private static let rule = "instance:guest_log_list"

    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/instances/{id}/log",
            RouteDescription(
                "list_guest_logs", "Logs of the engine; those of type SYS for administrators only.", rule: rule,
                answer: .document("logs", .array(of: .guestLog)), faults: [422, 501]), list),
        Route(
            "POST", "/instances/{id}/log",
            RouteDescription(
                "act_on_guest_log",
                "Turns a log on or off, publishes what is new of it, discards what is published, or shows it.",
                rule: rule, body: schema, answer: .document("log", .guestLog), faults: [403, 422, 501]), act),
    ]

    static let schema = Schema.object(
        ["name": .nonEmptyText, "enable": .any, "disable": .any, "publish": .any, "discard": .any], required: ["name"])

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        let logs = try await ask(.guestLogList, [:], call)
        return .json { writer in writer.value(["logs": logs]) }
    }

    @Sendable private static func act(_ call: APICall) async throws -> APIResponse {
        let body = try await call.body()
        try schema.validate(body)
        let flags = Dictionary(
            uniqueKeysWithValues: ["enable", "disable", "publish", "discard"].map { ($0, isTrue(body[$0])) })
        guard flags["enable"] != true || flags["disable"] != true else {
            throw APIFault(400, "Cannot enable and disable log.")
        }
        var arguments = flags.mapValues(JSONValue.bool)
        arguments["log_name"] = body["name"] ?? .null
        let log = try await ask(.guestLogAction, arguments, call)
        return .json { writer in writer.value(["log": log]) }
    }

    private static func ask(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], _ call: APICall
    ) async throws -> JSONValue {
        let id = call.parameter(0)
        let summary = try await call.services.store.read { try call.instance(id, rule: rule, $0) }
        guard summary.instance.serverStatus == .active, summary.instance.task != .building else {
            throw APIFault(.unprocessableEntity, "Instance \(id) is not ready.")
        }
        do throws(MessagingError) {
            return try await call.services.callGuest(id, verb, arguments, context: call.context)
        } catch {
            guard let failure = error.failure else { throw error }
            switch failure.className {
            case ServiceException.logAccessForbidden.rawValue: throw APIFault(.logAccessForbidden, failure.message)
            case ServiceException.logsNotAvailable.rawValue: throw APIFault(.logsNotAvailable, failure.message)
            default: throw error
            }
        }
    }

    /// Flags are 0 and 1; the reference service takes whatever its language takes for true.
    private static func isTrue(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null, .bool(false), .int(0), .string(""): false
        default: true
        }
    }
}

extension Schema {
    /// What a guest tells of a log.
    static let guestLog = Schema.named(
        "GuestLog",
        .object(
            [
                "name": .string(), "type": .enumeration(["SYS", "USER"]),
                "status": .enumeration([
                    "Disabled", "Enabled", "Unavailable", "Ready", "Published", "Partial", "Rotated",
                    "Restart Required",
                ]), "published": .integer(), "pending": .integer(), "container": .string(), "prefix": .string(),
                "metafile": .string(),
            ],
            required: ["name", "type", "status", "published", "pending", "container", "prefix", "metafile"]))
}
