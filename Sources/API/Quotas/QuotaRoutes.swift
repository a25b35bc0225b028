// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/mgmt/quotas/{project}`: what a project may have and what it has. Source: REST contract §14.
enum QuotaRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/mgmt/quotas/{project}",
            RouteDescription(
                "show_quotas", "Limits and use of a project; another one's are for administrators.",
                answer: .document("quotas", .array(of: .quota))), show),
        Route(
            "PUT", "/mgmt/quotas/{project}",
            RouteDescription(
                "update_quotas", "For administrators: sets limits of a project; null leaves one as it is.",
                body: schema,
                answer: .document("quotas", .map(of: .integer(minimum: -1)))), update),
    ]

    private static let schema = Schema.object(
        [
            "quotas": .object(
                Dictionary(
                    uniqueKeysWithValues: QuotaLimits.resources.map {
                        ($0, .oneOf([.integer(maximum: largestLimit), .null]))
                    }))
        ], required: ["quotas"])

    /// What the reference service's column holds, as a project's quotas may be carried there and back.
    private static let largestLimit = Int(Int32.max)

    /// `{"quotas": [{"resource", "in_use", "reserved", "limit"}]}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let project = try projectID(call)
        guard call.context.isAdmin || project == call.context.projectID else {
            throw APIFault(.operationAuthError, "Operation not allowed for tenant \(call.context.projectID).")
        }
        let configuration = call.configuration
        let (stored, usage) = try await call.services.store.read { transaction in
            (
                try transaction.quotas.limits(projectID: project),
                try transaction.quotas.usage(projectID: project, flavorRAM: configuration.flavorRAM)
            )
        }
        return document(QuotaLimits(defaults: configuration.quotas, stored: stored), usage)
    }

    private static func document(_ limits: QuotaLimits, _ usage: QuotaUsage) -> APIResponse {
        .json { writer in
            writer.object { writer in
                writer.key("quotas")
                writer.array { writer in
                    for resource in QuotaLimits.resources {
                        writer.object { writer in
                            writer.member("resource", resource)
                            writer.member("in_use", usage[resource])
                            // Nothing is promised before its row is there.
                            writer.member("reserved", 0)
                            writer.member("limit", limits[resource])
                        }
                    }
                }
            }
        }
    }

    /// `{"quotas": {resource: limit}}` → the same, with what was set only.
    @Sendable private static func update(_ call: APICall) async throws -> APIResponse {
        guard call.context.isAdmin else { throw APIFault(.forbidden, "User does not have admin privileges.") }
        let project = try projectID(call)
        let limits = try limits(try await call.body())
        try await call.services.store.write(.durable) { transaction in
            // What is admitted meanwhile is admitted under the old limits or the new ones.
            try transaction.quotas.beginAdmission(projectID: project)
            for (resource, limit) in limits.sorted(by: { $0.key < $1.key }) {
                try transaction.quotas.setLimit(projectID: project, resource: resource, limit: limit)
            }
        }
        return .json { writer in
            writer.value(["quotas": .object(limits.mapValues { .int(Int64($0)) })])
        }
    }

    /// What a body asks for, by resource.
    private static func limits(_ body: JSONValue) throws(APIFault) -> [String: Int] {
        let members = body["quotas"]?.objectValue ?? [:]
        let unknown = members.filter { name, value in
            !value.isNull && name != "xmlns" && !QuotaLimits.resources.contains(name)
        }
        guard unknown.isEmpty else {
            throw APIFault(
                .quotaResourceUnknown, "Unknown quota resources \(unknown.keys.sorted().joined(separator: ", ")).")
        }
        try schema.validate(body)
        var limits: [String: Int] = [:]
        for resource in QuotaLimits.resources {
            guard let limit = members[resource]?.intValue else { continue }
            guard limit >= -1 else {
                throw APIFault(
                    400, "Quota limit '\(limit)' for '\(resource)' is too small - must be at least '-1'.")
            }
            limits[resource] = limit
        }
        return limits
    }

    private static func projectID(_ call: APICall) throws(APIFault) -> String {
        let project = call.parameter(0)
        guard project.utf8.count <= 64 else { throw APIFault(400, "A project's id has at most 64 characters.") }
        return project
    }
}

extension Schema {
    static let quota = Schema.named(
        "Quota",
        .object(
            [
                "resource": .enumeration(QuotaLimits.resources), "in_use": .integer(minimum: 0),
                "reserved": .integer(minimum: 0), "limit": .integer(minimum: -1),
            ], required: ["resource", "in_use", "reserved", "limit"], isClosed: true))
}
