// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import Notifications

/// What is told about a verb that a route sends to a guest; nothing about one that only reads.
enum GuestOperation {
    /// The event and its traits: names alone, never what else the arguments hold.
    static func find(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], instanceID: String
    ) -> (event: OperationEvent, traits: [String: JSONValue])? {
        guard let event = events[verb] else { return nil }
        var traits: [String: JSONValue] = ["instance_id": .string(instanceID)]
        switch event {
        case .databaseCreate, .databaseDelete: traits["dbname"] = names(arguments["databases"] ?? arguments["database"])
        case .userCreate, .userDelete, .userChangePassword:
            traits["username"] = names(arguments["users"] ?? arguments["user"])
        case .userUpdateAttributes: traits["username"] = arguments["username"] ?? .null
        case .userGrant, .userRevoke:
            traits["username"] = arguments["username"] ?? .null
            traits["database"] = arguments["databases"] ?? .array([arguments["database"] ?? .null])
        default: break
        }
        return (event, traits)
    }

    private static let events: [GuestVerb: OperationEvent] = [
        .createDatabase: .databaseCreate, .deleteDatabase: .databaseDelete, .createUser: .userCreate,
        .deleteUser: .userDelete, .changePasswords: .userChangePassword, .updateAttributes: .userUpdateAttributes,
        .grantAccess: .userGrant, .revokeAccess: .userRevoke, .enableRoot: .rootEnable,
        .enableRootWithPassword: .rootEnable, .disableRoot: .rootDisable,
    ]

    /// The names of one document or of several, joined by commas.
    private static func names(_ value: JSONValue?) -> JSONValue {
        let items = value?.arrayValue ?? value.map { [$0] } ?? []
        return .string(items.compactMap { WireForm.fromBus($0)["name"]?.stringValue }.joined(separator: ","))
    }
}

extension APIServices {
    /// Sends a verb on behalf of a request, and tells of what it changes: start, then end or error.
    func announcedGuestCall(
        _ instanceID: String, _ verb: GuestVerb, _ arguments: [String: JSONValue], context: RequestContext,
        from origin: RequestOrigin
    ) async throws(MessagingError) -> JSONValue {
        guard notifier.isOn, let found = GuestOperation.find(verb, arguments, instanceID: instanceID) else {
            return try await callGuest(instanceID, verb, arguments, context: context)
        }
        let operation = Operation(
            found.event, context: context, clientIP: origin.clientAddress, serverIP: origin.host, found.traits)
        notifier.emit(notifier.start(operation, by: .api))
        do throws(MessagingError) {
            let reply = try await callGuest(instanceID, verb, arguments, context: context)
            notifier.emit(notifier.end(operation, by: .api))
            return reply
        } catch {
            notifier.emit(
                notifier.error(
                    operation, by: .api, message: APIFault.guestMessage(error),
                    kind: error.failure?.className ?? "GuestError"))
            throw error
        }
    }
}
