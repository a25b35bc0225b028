// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Messaging
package import Model
package import PluginHost
import StateStore

/// The control plane's own operations as plugins' routes use them, always as the caller: what the caller may not see
/// does not exist.
///
/// - `instance.get` `{"instance_id"}` → `{"instance_id", "project_id", "status", "service_status", "is_running",
///   "datastore", "version"}`
/// - `guest.call` `{"instance_id", "verb", "arguments"}` → the verb's reply
/// - `root_history.get` `{"instance_id"}` → `{"enabled"}`
///
/// Source: docs/plugin-abi.md, control operations.
package struct ControlService: ControlHandler {
    private let services: APIServices
    private var origin = RequestOrigin()

    package init(_ services: APIServices) { self.services = services }

    /// The same, on behalf of a request.
    func asked(by request: APIRequest) -> ControlService {
        var copy = self
        copy.origin = request.origin
        return copy
    }

    /// Verbs that a route may send: databases, users and root. Nothing that the task manager's flows do.
    static let verbs: Set<String> = [
        "create_database", "delete_database", "list_databases", "create_user", "delete_user", "list_users", "get_user",
        "change_passwords", "update_attributes", "list_access", "grant_access", "revoke_access", "is_root_enabled",
        "enable_root", "enable_root_with_password", "disable_root",
    ]

    package func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue {
        switch operation {
        case "instance.get": return try await instance(request, context)
        case "guest.call": return try await guestCall(request, context)
        case "root_history.get": return try await rootHistory(request, context)
        default: throw PluginError(.unsupported, "There is no control operation '\(operation)'.")
        }
    }

    private func instance(_ request: JSONValue, _ context: RequestContext) async throws(PluginError) -> JSONValue {
        let summary = try await visible(request, context)
        let instance = summary.instance
        return [
            "instance_id": .string(instance.id), "project_id": .string(instance.projectID),
            "status": .string(summary.status.status), "service_status": .string(instance.service.text),
            "is_running": .bool(instance.service.isDatastoreRunning), "datastore": .string(summary.datastoreName),
            "version": .string(summary.datastoreVersionName),
        ]
    }

    /// A verb that was not delivered and answered is an error, never a silent success.
    private func guestCall(_ request: JSONValue, _ context: RequestContext) async throws(PluginError) -> JSONValue {
        let name = request["verb"]?.stringValue ?? ""
        guard Self.verbs.contains(name), let verb = GuestVerb(rawValue: name) else {
            throw PluginError(.permissionDenied, "Routes may not send the verb '\(name)' to a guest.")
        }
        guard let arguments = (request["arguments"] ?? [:]).objectValue else {
            throw PluginError(.invalidArgument, "'arguments' of guest.call must be an object.")
        }
        let instance = try await visible(request, context).instance
        do {
            return try await services.announcedGuestCall(
                instance.id, verb, arguments, context: context, from: origin)
        } catch {
            services.logger.info(
                "guest verb failed",
                metadata: [
                    "request.id": .string(context.requestID), "instance.id": .string(instance.id),
                    "rpc.method": .string(name), "error.message": .string(error.message),
                ]
            )
            throw Self.pluginError(error)
        }
    }

    private func rootHistory(_ request: JSONValue, _ context: RequestContext) async throws(PluginError) -> JSONValue {
        let id = try await visible(request, context).instance.id
        let isEnabled = try await read { try $0.rootHistory.find(instanceID: id) != nil }
        return ["enabled": .bool(isEnabled)]
    }

    private func visible(
        _ request: JSONValue, _ context: RequestContext
    ) async throws(PluginError) -> InstanceSummary {
        guard let id = request["instance_id"]?.stringValue else {
            throw PluginError(.invalidArgument, "'instance_id' is missing.")
        }
        let summary = try await read { try $0.instances.summary(id) }
        guard let summary, context.isAdmin || summary.instance.projectID == context.projectID else {
            throw PluginError(.notFound, "Resource \(id) cannot be found.")
        }
        return summary
    }

    private func read<Value: Sendable>(
        _ body: @Sendable @escaping (any StateTransaction) throws -> Value
    ) async throws(PluginError) -> Value {
        do {
            return try await services.store.read(body)
        } catch let error as StateStoreError where error.isRetryable {
            throw PluginError(.unavailable, "The state store cannot answer now.")
        } catch {
            throw PluginError(.internal, "The state store failed.")
        }
    }

    /// What the guest said about a name keeps its meaning; everything else is trouble with the guest.
    static func pluginError(_ error: MessagingError) -> PluginError {
        let code: PluginError.Code =
            switch error.failure?.className {
            case "UserNotFound", "DatabaseNotFound", "NotFound": .notFound
            case "UserAlreadyExists", "DatabaseAlreadyExists": .alreadyExists
            case "BadRequest": .invalidArgument
            case "UnprocessableEntity": .preconditionFailed
            case "DatastoreOperationNotSupported": .unsupported
            default: error.code == .timedOut ? .timedOut : .unavailable
            }
        let isOwnSentence = code != .timedOut && code != .unavailable
        let message = isOwnSentence ? error.failure?.message ?? error.message : APIFault.guestMessage(error)
        let details = error.failure.map { ["class": .string($0.className), "module": .string($0.module)] as JSONValue }
        return PluginError(code, message, details: details)
    }
}
