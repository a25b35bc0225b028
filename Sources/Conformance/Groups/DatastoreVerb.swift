// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// The functions of a datastore that take a request, with a request that is right for each.
struct DatastoreVerb: Sendable {
    typealias Function = @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, trove_str) -> trove_status

    let name: String
    let function: @Sendable (trove_datastore_1) -> Function?
    let sample: JSONValue
    let needs: [String]
    let reply: Reply
    var mayEmitSecret = false
    /// Doing it again with the same request must succeed too.
    var isIdempotent = false

    private static let user: JSONValue = ["name": "check_user", "host": "%"]

    /// In an order in which each finds what it works on.
    static let all: [DatastoreVerb] = [
        .init(name: "initialize", function: { $0.initialize }, sample: [:], needs: [], reply: .nothing),
        .init(
            name: "prepare", function: { $0.prepare },
            sample: [
                "config_contents": "", "overrides": [:], "restored": false, "root_password": .string(Caller.secret),
            ],
            needs: ["config_contents"], reply: .nothing, isIdempotent: true),
        .init(name: "launch", function: { $0.launch }, sample: [:], needs: [], reply: .schema("launch")),
        .init(name: "started", function: { $0.started }, sample: [:], needs: [], reply: .nothing),
        .init(
            name: "backup_access", function: { $0.backup_access }, sample: [:], needs: [],
            reply: .schema("backup-access"),
            mayEmitSecret: true),
        .init(
            name: "create_databases", function: { $0.create_databases },
            sample: ["databases": [["name": "check_base"]]],
            needs: ["databases"], reply: .nothing, isIdempotent: true),
        .init(
            name: "list_databases", function: { $0.list_databases }, sample: ["limit": 20], needs: [],
            reply: .schema("database-page")),
        .init(
            name: "create_users", function: { $0.create_users },
            sample: [
                "users": [["name": "check_user", "password": .string(Caller.secret), "host": "%", "databases": []]]
            ], needs: ["users"], reply: .nothing, isIdempotent: true),
        .init(
            name: "list_users", function: { $0.list_users }, sample: ["limit": 20], needs: [],
            reply: .schema("user-page")),
        .init(name: "get_user", function: { $0.get_user }, sample: user, needs: ["name"], reply: .schema("user-view")),
        .init(
            name: "update_user", function: { $0.update_user },
            sample: ["name": "check_user", "host": "%", "new_password": .string(Caller.secret)], needs: ["name"],
            reply: .nothing, isIdempotent: true),
        .init(
            name: "grant_access", function: { $0.grant_access },
            sample: ["name": "check_user", "host": "%", "databases": ["check_base"]], needs: ["name", "databases"],
            reply: .nothing, isIdempotent: true),
        .init(
            name: "revoke_access", function: { $0.revoke_access },
            sample: ["name": "check_user", "host": "%", "database": "check_base"], needs: ["name", "database"],
            reply: .nothing, isIdempotent: true),
        .init(
            name: "delete_user", function: { $0.delete_user }, sample: user, needs: ["name"], reply: .nothing,
            isIdempotent: true),
        .init(
            name: "delete_database", function: { $0.delete_database }, sample: ["name": "check_base"], needs: ["name"],
            reply: .nothing, isIdempotent: true),
        .init(
            name: "enable_root", function: { $0.enable_root }, sample: ["password": .string(Caller.secret)], needs: [],
            reply: .inline([
                "type": "object", "properties": ["name": ["type": "string"], "password": ["type": "string"]],
                "required": ["name", "password"],
            ]), mayEmitSecret: true, isIdempotent: true),
        .init(
            name: "root_status", function: { $0.root_status }, sample: [:], needs: [],
            reply: .inline(["type": "object", "properties": ["enabled": ["type": "boolean"]], "required": ["enabled"]])),
        .init(
            name: "disable_root", function: { $0.disable_root }, sample: [:], needs: [], reply: .nothing,
            isIdempotent: true),
        .init(
            name: "apply_configuration", function: { $0.apply_configuration },
            sample: ["values": [:], "config_contents": ""], needs: ["values", "config_contents"],
            reply: .schema("apply-configuration-result"), isIdempotent: true),
        .init(
            name: "pre_upgrade", function: { $0.pre_upgrade }, sample: ["from": "1.0", "to": "1.1"],
            needs: ["from", "to"],
            reply: .nothing),
        .init(
            name: "upgrade", function: { $0.upgrade }, sample: ["from": "1.0", "to": "1.1"], needs: ["from", "to"],
            reply: .nothing),
        .init(
            name: "post_upgrade", function: { $0.post_upgrade }, sample: ["from": "1.0", "to": "1.1"],
            needs: ["from", "to"], reply: .nothing),
        .init(name: "list_logs", function: { $0.list_logs }, sample: [:], needs: [], reply: .schema("log-list")),
        .init(
            name: "set_log", function: { $0.set_log }, sample: ["name": "general", "enabled": true],
            needs: ["name", "enabled"],
            reply: .inline([
                "type": "object", "properties": ["restart_required": ["type": "boolean"]],
                "required": ["restart_required"],
            ]), isIdempotent: true),
    ]
}
