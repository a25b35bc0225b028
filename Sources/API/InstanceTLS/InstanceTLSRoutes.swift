// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost
import StateStore

/// `/instances/{id}/ssl`: the TLS of the instance's engine, which its guest has and tells. Source: REST contract §7.
///
/// The row keeps the mode for those who only read the state store; what the guest says wins, and is written there.
enum InstanceTLSRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/instances/{id}/ssl",
            RouteDescription(
                "show_instance_ssl", "The TLS of an instance's engine, with its certificate's names.",
                rule: "instance:show",
                query: [QueryParameter("include_certificate", "true: with the certificate in PEM form.", .boolean)],
                answer: .document("ssl", .instanceTLS), faults: [422, 501]), show),
        Route(
            "POST", "/instances/{id}/ssl",
            RouteDescription(
                "change_instance_ssl", "Turns TLS of an instance's engine on or off, or takes the last change back.",
                rule: "instance:update", body: schema, answer: .document("ssl", .instanceTLSChange),
                faults: [403, 422, 501, 503]), change),
    ]

    private static let modes = ["basic", "enforced", "mtls"]
    private static let builtIn = "builtin"

    static let schema = Schema.object(
        [
            "ssl": .object([
                "enable": .boolean, "disable": .boolean, "rollback": .boolean, "mode": .string(minimum: 1),
                "container_ref": .nonEmptyText, "password_ref": .nonEmptyText,
            ])
        ], required: ["ssl"])

    // MARK: Handlers

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let isFull = try Query(call.request.query).flag("include_certificate") ?? false
        let summary = try await instance("instance:show", call)
        guard summary.instance.serverStatus == .active, summary.instance.task != .building else {
            throw APIFault(.unprocessableEntity, "Instance \(summary.instance.id) is not ready.")
        }
        try await refuseUnsupported(summary, call)
        let reply = try await ask(.sslShow, [:], summary, call)
        let mode = reply["mode"]?.stringValue ?? summary.instance.tlsMode ?? builtIn
        try await keep(mode, summary, call, .relaxed)
        var members: [String: JSONValue] = ["status": reply["status"] ?? "off", "mode": .string(mode)]
        if var certificate = reply["certificate"]?.objectValue {
            if !isFull { certificate["payload"] = nil }
            members["certificate"] = .object(certificate)
        }
        return document(members)
    }

    @Sendable private static func change(_ call: APICall) async throws -> APIResponse {
        let body = try await call.body()
        try schema.validate(body)
        let change = body["ssl"] ?? [:]
        let summary = try await instance("instance:update", call)
        let wishes = ["enable", "disable", "rollback"].filter { change[$0] == true }
        guard let wish = wishes.first, wishes.count == 1 else {
            throw APIFault(400, "One of 'enable', 'disable' and 'rollback' must be true, not \(wishes.count) of them.")
        }
        let mode = change["mode"]?.stringValue ?? "basic"
        guard modes.contains(mode) else {
            throw APIFault(400, "Unknown SSL mode. Available options are: \(modes.joined(separator: ", "))")
        }
        if wish == "enable", change["container_ref"] == nil {
            throw APIFault(400, "'container_ref' is needed to enable TLS.")
        }
        try APICall.requireAvailable(summary)
        try await refuseUnsupported(summary, call)
        let reply: JSONValue
        switch wish {
        case "rollback": reply = try await ask(.sslRollback, [:], summary, call)
        case "disable":
            reply = try await ask(
                .sslAction,
                ["mode": .string(builtIn), "container": .null, "enable": false, "disable": true], summary, call)
        default:
            let container = try await container(change, summary, call)
            reply = try await ask(
                .sslAction,
                [
                    "mode": .string(mode), "container": container, "enable": true, "disable": false,
                ], summary, call)
        }
        // A guest of the reference service says of these only whether a restart is needed.
        let now = reply["mode"]?.stringValue ?? (wish == "enable" ? mode : builtIn)
        try await keep(now, summary, call, .durable)
        return document([
            "status": reply["status"] ?? (now == builtIn ? "off" : "on"), "mode": .string(now),
            "restart_required": reply["restart_required"] ?? false,
        ])
    }

    // MARK: Parts

    private static func instance(_ rule: String, _ call: APICall) async throws -> InstanceSummary {
        let id = call.parameter(0)
        return try await call.services.store.read { try call.instance(id, rule: rule, $0) }
    }

    private static func document(_ members: [String: JSONValue]) -> APIResponse {
        .json { writer in writer.value(["ssl": .object(members)]) }
    }

    /// A datastore whose plugin says that it has no TLS to change is refused before anybody is asked.
    private static func refuseUnsupported(_ summary: InstanceSummary, _ call: APICall) async throws {
        let version = try await call.services.store.read {
            try $0.datastores.version(summary.instance.datastoreVersionID)
        }
        let reference = summary.instance.plugins["datastore"] ?? version?.plugins["datastore"]
        guard let id = reference?.stringValue?.split(separator: "@").first.map(String.init) else { return }
        let known = await call.services.plugins.plugins.filter { $0.id == id }
        guard known.isEmpty || known.contains(where: { $0.provides.contains("trove.tls/1") }) else {
            throw unsupported(summary)
        }
    }

    private static func unsupported(_ summary: InstanceSummary) -> APIFault {
        APIFault(
            .datastoreOperationNotSupported, "TLS is not supported for the '\(summary.datastoreName)' datastore.")
    }

    /// What the guest answers; what it finds wrong with a container is the tenant's to read as it stands.
    private static func ask(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], _ summary: InstanceSummary, _ call: APICall
    ) async throws -> JSONValue {
        do throws(MessagingError) {
            return try await call.services.callGuest(summary.instance.id, verb, arguments, context: call.context)
        } catch {
            guard let failure = error.failure else { throw error }
            switch failure.className {
            case ServiceException.badRequest.rawValue: throw APIFault(400, failure.message)
            case ServiceException.unprocessableEntity.rawValue:
                throw APIFault(.unprocessableEntity, failure.message)
            case ServiceException.datastoreOperationNotSupported.rawValue: throw unsupported(summary)
            default: throw error
            }
        }
    }

    /// The argument `container` of the guest: `{"certificate", "private_key", "ca"}`, PEM texts.
    private static func container(
        _ change: JSONValue, _ summary: InstanceSummary, _ call: APICall
    ) async throws -> JSONValue {
        guard let certificates = call.services.certificates else {
            throw APIFault.unsupported("TLS cannot be enabled: no key manager is configured.")
        }
        let reference = change["container_ref"]?.stringValue ?? ""
        do throws(CertificateContainerFault) {
            let container = try await certificates.container(
                reference, passwordReference: change["password_ref"]?.stringValue,
                projectID: summary.instance.projectID, token: call.request.header("x-auth-token"))
            return [
                "certificate": .string(container.certificate), "private_key": .string(container.privateKey.revealed),
                "ca": container.authority.map(JSONValue.string) ?? .null,
            ]
        } catch {
            throw fault(error, reference)
        }
    }

    private static func fault(_ error: CertificateContainerFault, _ reference: String) -> APIFault {
        let message =
            error.message.contains(reference) ? error.message : "'container_ref' \(reference): \(error.message)"
        switch error.reason {
        case .missing, .invalid: return APIFault(400, message)
        case .forbidden: return APIFault(403, message)
        case .unavailable:
            var fault = APIFault(503, message)
            fault.retryAfter = 1
            return fault
        }
    }

    private static func keep(
        _ mode: String, _ summary: InstanceSummary, _ call: APICall, _ durability: Durability
    ) async throws {
        let (id, mode) = (summary.instance.id, mode == builtIn ? nil : mode)
        guard mode != summary.instance.tlsMode else { return }
        try await call.services.store.write(durability) { try $0.instances.setTLSMode(id, to: mode) }
    }
}

extension Schema {
    private static let tlsMode = Schema.enumeration(["builtin", "basic", "enforced", "mtls"])

    /// The TLS of an engine.
    static let instanceTLS = Schema.named(
        "InstanceTLS",
        .object(
            [
                "status": .enumeration(["on", "off"]), "mode": tlsMode,
                "certificate": .object(
                    [
                        "cn": .string(), "expire_at": .string(), "san": .array(of: .string()), "payload": .string(),
                    ]),
            ], required: ["status", "mode"]))

    /// What became of a change.
    static let instanceTLSChange = Schema.named(
        "InstanceTLSChange",
        .object(
            ["status": .enumeration(["on", "off"]), "mode": tlsMode, "restart_required": .boolean],
            required: ["status", "mode", "restart_required"]))
}
