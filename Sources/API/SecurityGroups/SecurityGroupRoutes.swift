// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/security-groups` and `/security-group-rules`: another view of the instances' access rules. Source: REST contract §18.
enum SecurityGroupRoutes {
    static let routes: [Route<CoreRoute>] = [
        Route(
            "GET", "/security-groups",
            RouteDescription(
                "list_security_groups", "Security groups of the project, one an instance.",
                rule: "security_group:index", answer: .document("security_groups", .array(of: .securityGroup))), list),
        Route(
            "GET", "/security-groups/{id}",
            RouteDescription(
                "show_security_group", "The security group of an instance; the group's id is the instance's.",
                rule: "security_group:show", answer: .document("security_group", .securityGroup)), show),
        Route(
            "POST", "/security-group-rules",
            RouteDescription(
                "create_security_group_rule", "Lets a network connect to the instance of a group.",
                rule: "security_group_rule:create", body: bodySchema, status: 201,
                answer: .document("security_group_rule", .array(of: .securityGroupRule)), faults: [409, 422, 501]),
            create),
        Route(
            "DELETE", "/security-group-rules/{id}",
            RouteDescription(
                "delete_security_group_rule", "Takes away what a network was allowed.",
                rule: "security_group_rule:delete", status: 204, faults: [401, 409, 422, 501]), delete),
    ]

    private static let root = "security_group_rule"
    private static let bodySchema = Schema.object(
        [root: .object(["group_id": .string(), "cidr": .string(pattern: .cidr)], required: ["group_id", "cidr"])],
        required: [root])

    /// `{"security_groups": […]}`
    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        try call.require("security_group:index")
        let groups = try await SecurityGroupLookup(call: call).all(ofProject: call.context.projectID)
        let view = SecurityGroupView(call)
        return .json { writer in
            writer.object { writer in
                writer.key("security_groups")
                writer.array { writer in
                    for group in groups { view.write(group, &writer) }
                }
            }
        }
    }

    /// `{"security_group": {…}}`
    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let group = try await SecurityGroupLookup(call: call).find(call.parameter(0), rule: "security_group:show")
        let view = SecurityGroupView(call)
        return .json { writer in
            writer.object { writer in
                writer.key("security_group")
                view.write(group, &writer)
            }
        }
    }

    /// `{"security_group_rule": [{…}]}`, one a port. A network that is allowed already is answered as a new one.
    @Sendable private static func create(_ call: APICall) async throws -> APIResponse {
        let body = try await call.body()
        guard let rule = body[root] else { throw missing(key: root) }
        guard let cidr = rule["cidr"] else { throw missing(key: "cidr") }
        guard let groupID = rule["group_id"] else { throw missing(key: "group_id") }
        try bodySchema.validate(body)
        let (id, network) = (groupID.stringValue ?? "", cidr.stringValue ?? "")
        let group = try await SecurityGroupLookup(call: call).find(id, rule: "security_group_rule:create")
        if !group.networks.contains(network) {
            let update = AccessUpdate(instanceID: group.id, rules: AccessRules(nil))
            try await update.perform(call, rule: "security_group_rule:create") { instance in
                var rules = AccessRules(instance.access)
                rules.allowed = SecurityGroup.networks(instance.access)
                if !rules.allowed.contains(network) { rules.allowed.append(network) }
                return rules
            }
        }
        return .json(201) { writer in
            writer.object { writer in
                writer.key(root)
                writer.array { writer in
                    for rule in group.rules(of: network) {
                        SecurityGroupView.writeNew(rule, of: group, now: call.now, &writer)
                    }
                }
            }
        }
    }

    /// 204. The rules of the same network for other ports go along: an instance's rules say who, not which port.
    @Sendable private static func delete(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter(0)
        guard let (instanceID, mark) = SecurityGroup.parts(ofRule: id) else { throw missing(rule: id) }
        let found = try await call.services.store.read { try $0.instances.find(instanceID) }
        guard let found, SecurityGroup.networks(found.access).contains(where: { SecurityGroup.mark($0) == mark }) else {
            throw missing(rule: id)
        }
        guard call.context.isAdmin || found.projectID == call.context.projectID else {
            throw APIFault(.forbidden, "Unauthorized")
        }
        let update = AccessUpdate(instanceID: instanceID, rules: AccessRules(nil))
        try await update.perform(call, rule: "security_group_rule:delete") { instance in
            var rules = AccessRules(instance.access)
            rules.allowed = SecurityGroup.networks(instance.access).filter { SecurityGroup.mark($0) != mark }
            guard !rules.allowed.isEmpty else {
                throw APIFault(
                    400,
                    "Rule \(id) is the only one of instance \(instanceID), and an instance without rules is open to"
                        + " everybody. Add the rule that is to stay first.")
            }
            return rules
        }
        return APIResponse(status: 204)
    }

    private static func missing(key: String) -> APIFault {
        APIFault(400, "Required element/key - '\(key)' was not specified")
    }

    private static func missing(rule id: String) -> APIFault {
        APIFault(.notFound, "Security group rule \(id) could not be found.")
    }
}
