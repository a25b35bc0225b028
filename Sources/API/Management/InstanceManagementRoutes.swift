// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import StateStore

/// `/mgmt/instances`: instances of all projects, for administrators. Source: REST contract §15.
enum InstanceManagementRoutes {
    static let routes: [Route<CoreRoute>] =
        [
            Route(
                "GET", "/mgmt/instances",
                RouteDescription(
                    "list_managed_instances",
                    "For administrators: instances of all projects, deleted ones too, the newest change first.",
                    query: QueryParameter.offsets + [
                        .deleted, QueryParameter("project_id", "Only of this project."), .includeClustered,
                    ], answer: .page("instances", of: .managedInstance), faults: [401]), list),
            Route(
                "GET", "/mgmt/instances/{id}",
                RouteDescription(
                    "show_managed_instance",
                    "For administrators: one instance; with deleted=true also one that is no more.",
                    query: [.deleted], answer: .document("instance", .managedInstance), faults: [401]), show),
            Route(
                "GET", "/mgmt/instances/{id}/root",
                RouteDescription(
                    "show_root_history", "For administrators: who enabled root last, and when.",
                    answer: .document(
                        "root_history",
                        .object(
                            ["id": .string(), "enabled": .string(), "user": .string()],
                            required: ["id", "enabled", "user"])), faults: [401]), root),
            Route(
                "GET", "/mgmt/instances/{id}/diagnostics",
                RouteDescription(
                    "show_diagnostics", "For administrators: the engine's process; sizes in KiB.",
                    answer: .document("diagnostics", diagnosticsSchema), faults: [401]), diagnostics),
            Route(
                "GET", "/mgmt/instances/{id}/hwinfo",
                RouteDescription(
                    "show_hardware", "For administrators: memory (KiB) and processors that the engine may use.",
                    answer: .document(
                        "hwinfo",
                        .object(
                            ["mem_total": .integer(), "num_cpus": .integer()], required: ["mem_total", "num_cpus"])),
                    faults: [401]), hardware),
            Route(
                "GET", "/mgmt/instances/{id}/rpc_ping",
                RouteDescription(
                    "ping_guest", "For administrators: whether the guest agent answers.", status: 204, faults: [401]),
                ping),
            Route(
                "POST", "/mgmt/instances/{id}/action", InstanceManagementActions.description,
                InstanceManagementActions.handle),
        ] + inherited

    /// The user routes under another path: not for administrators alone, as in the reference service.
    private static let inherited: [Route<CoreRoute>] = InstanceRoutes.routes.compactMap { route in
        let pattern = route.pattern
        guard ["/instances", "/instances/{id}"].contains(pattern.path), pattern.method != "GET" else { return nil }
        var about = route.target.about
        about.id = "managed_" + about.id
        return Route(pattern.method, "/mgmt" + pattern.path, about, route.target.handle)
    }

    private static let diagnosticsSchema: Schema = {
        let numbers = ["threads", "fdSize", "vmSize", "vmPeak", "vmRss", "vmHwm"]
        var members = Dictionary(uniqueKeysWithValues: numbers.map { ($0, Schema.integer()) })
        members["version"] = .string()
        return .object(members, required: numbers + ["version"])
    }()

    /// The contract has no largest page here; this one keeps an answer's size within reason.
    private static let maximumPage = 1000

    /// `{"instances": […], "links"?}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let query = Query(call.request.query)
        let limit = try Page.limit(query, standard: call.configuration.pageSize, maximum: maximumPage)
        let offset = try Page.offset(query)
        let (isDeleted, projectID) = (try query.flag("deleted"), query["project_id"])
        let withMembers = try query.flag("include_clustered") ?? false
        let view = InstanceView(.managedList, call)
        return try await call.services.store.read { transaction in
            var page = try transaction.instances.managedPage(
                projectID: projectID, isDeleted: isDeleted, withMembers: withMembers, offset: offset, limit: limit)
            page.sort { $0.summary.instance.created > $1.summary.instance.created }
            return .json(reserving: 1024 + page.count * 1536) { writer in
                writer.object { writer in
                    writer.key("instances")
                    writer.array { writer in
                        for managed in page { view.write(managed, &writer) }
                    }
                    // A full page names a next one, which may turn out empty.
                    if page.count == limit { call.writeNextLink(&writer, query, marker: String(offset + limit)) }
                }
            }
        }
    }

    /// `{"instance": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        let isDeletedToo = try Query(call.request.query).flag("deleted") ?? false
        let managed = try await call.services.store.read { transaction in
            guard let managed = try transaction.instances.managed(id),
                isDeletedToo || managed.summary.instance.deleted == nil
            else { throw APIFault.missing(id) }
            return managed
        }
        let view = InstanceView(.managedShow, call)
        return .json { writer in
            writer.object { writer in
                writer.key("instance")
                view.write(managed, &writer)
            }
        }
    }

    /// `{"root_history": {"id", "enabled": time or "Never", "user": id or "Nobody"}}`
    @Sendable private static func root(_ call: APICall) async throws -> APIResponse {
        try call.requireAdministrator()
        let id = call.parameter(0)
        guard let managed = try await call.services.store.read({ try $0.instances.managed(id) }) else {
            throw APIFault.missing(id)
        }
        return .json { writer in
            writer.value([
                "root_history": [
                    "id": .string(id), "enabled": .string(managed.root?.created.text ?? "Never"),
                    "user": .string(managed.root?.userID ?? "Nobody"),
                ]
            ])
        }
    }

    // MARK: - The guest

    @Sendable private static func diagnostics(_ call: APICall) async throws -> APIResponse {
        let diagnostics = try await ask(.getDiagnostics, call, GuestDiagnostics.init(json:))
        return .json { writer in
            writer.value([
                "diagnostics": [
                    "version": .string(diagnostics.version), "threads": .int(Int64(diagnostics.threads)),
                    "fdSize": .int(Int64(diagnostics.descriptorSlots)), "vmSize": .int(Int64(diagnostics.sizeKiB)),
                    "vmPeak": .int(Int64(diagnostics.peakSizeKiB)), "vmRss": .int(Int64(diagnostics.residentKiB)),
                    "vmHwm": .int(Int64(diagnostics.peakResidentKiB)),
                ]
            ])
        }
    }

    @Sendable private static func hardware(_ call: APICall) async throws -> APIResponse {
        let hardware = try await ask(.getHardware, call, GuestHardware.init(json:))
        return .json { writer in writer.value(["hwinfo": hardware.json]) }
    }

    @Sendable private static func ping(_ call: APICall) async throws -> APIResponse {
        try await ask(.ping, call) { $0 == true ? () : nil }
        return APIResponse(status: 204)
    }

    /// Asks the guest of a live instance and reads its answer.
    private static func ask<Answer>(
        _ verb: GuestVerb, _ call: APICall, _ read: (JSONValue) -> Answer?
    ) async throws -> Answer {
        try call.requireAdministrator()
        let id = call.parameter(0)
        _ = try await call.services.store.read { try call.managedInstance(id, $0) }
        let reply = try await call.services.callGuest(id, verb, [:], context: call.context)
        guard let answer = read(reply) else {
            throw MessagingError(
                .badMessage, "the guest of instance \(id) answered \(verb.rawValue) with something else")
        }
        return answer
    }
}
