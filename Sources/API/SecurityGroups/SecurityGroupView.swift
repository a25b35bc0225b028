// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes security groups. Source: REST contract §18.
struct SecurityGroupView {
    /// Of every group, but for its id.
    private let address: String

    init(_ call: APICall) {
        let root = call.configuration.publicEndpoint ?? "https://" + call.request.host
        address = "\(root)/v1.0/\(call.context.projectID)/security-groups/"
    }

    func write(_ group: SecurityGroup, _ writer: inout JSONWriter) {
        let instance = group.summary.instance
        writer.object { writer in
            writer.member("id", group.id)
            writer.member("name", "SecGroup_\(instance.id)")
            writer.member("description", "Security Group for \(instance.id)")
            writer.member("instance_id", instance.id)
            writer.key("rules")
            writer.array { writer in
                for rule in group.rules { writer.object { writer in Self.writeMembers(rule, &writer) } }
            }
            writer.key("links")
            writer.array { writer in
                writer.object { writer in
                    writer.member("rel", "self")
                    writer.member("href", address + group.id)
                }
            }
            writer.member("created", instance.created)
            writer.member("updated", instance.updated)
        }
    }

    /// A rule that was made now.
    static func writeNew(
        _ rule: SecurityGroup.Rule, of group: SecurityGroup, now: Timestamp, _ writer: inout JSONWriter
    ) {
        writer.object { writer in
            writeMembers(rule, &writer)
            writer.member("security_group_id", group.id)
            writer.member("created", now)
        }
    }

    private static func writeMembers(_ rule: SecurityGroup.Rule, _ writer: inout JSONWriter) {
        writer.member("id", rule.id)
        writer.member("protocol", "tcp")
        writer.member("from_port", rule.firstPort)
        writer.member("to_port", rule.lastPort)
        writer.member("cidr", rule.cidr)
    }
}

extension Schema {
    private static let ruleMembers: [String: Schema] = [
        "id": .string(), "protocol": .string(), "from_port": .integer(minimum: 1), "to_port": .integer(minimum: 1),
        "cidr": .string(),
    ]

    /// What `SecurityGroupView` writes.
    static let securityGroup = Schema.named(
        "SecurityGroup",
        .object(
            [
                "id": .string(), "name": .string(), "description": .string(), "instance_id": .string(),
                "rules": .array(of: .object(ruleMembers, required: Array(ruleMembers.keys).sorted())),
                "links": .array(of: .object(["rel": .string(), "href": .string()], required: ["href", "rel"])),
                "created": .time, "updated": .time,
            ],
            required: ["id", "name", "description", "instance_id", "rules", "links", "created", "updated"]))

    static let securityGroupRule = Schema.named(
        "SecurityGroupRule",
        .object(
            ruleMembers.merging(["security_group_id": .string(), "created": .time]) { own, _ in own },
            required: Array(ruleMembers.keys).sorted() + ["security_group_id", "created"]))
}
