// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension EndToEnd {
    /// The control plane is ended as kill -9 does at every point of every flow; the operation must finish all the same. Each shape
    /// takes every other point, so that both together have all of them; with `TROVE_EVERY_POINT` it takes all, with
    /// `TROVE_POINTS=create_backup,delete_backup` all of these flows.
    @Suite("Recovery from kill -9", .serialized)
    struct RecoveryTests {
        @Test("every point of every flow is survived", .timeLimit(.minutes(40)))
        func everyPoint() async throws {
            try await ControlPlane.with { plane in
                let all = try await Command.run([Build.trove, "flows"]).output.split(separator: "\n").map(String.init)
                #expect(all.count >= 3 * 5)
                let environment = ProcessInfo.processInfo.environment
                let flows = environment["TROVE_POINTS"]?.split(separator: ",").map(String.init)
                let isWhole = environment["TROVE_EVERY_POINT"] != nil || flows != nil
                let turn = plane.shape == .embedded ? 0 : 1
                let points = all.enumerated().filter { isWhole || $0.offset % 2 == turn }.map(\.element)
                    .filter { flows?.contains(String($0.split(separator: "/")[0])) ?? true }
                #expect(!points.isEmpty)
                let source = try await prepared(plane)
                try await plane.stop()
                for point in points {
                    for operation in try Self.operations(point) {
                        do {
                            try await survive(point, operation, plane, source: source)
                        } catch {
                            throw TestFailure("\(operation.rawValue) at \(point): \(error)")
                        }
                    }
                }
                try await plane.start()
                let client = try await RESTClient.login(plane)
                try await client.must("DELETE", "/backups/\(source.backup)")
                try await client.waitBackup(source.backup, for: "GONE")
                try await client.delete(source.instance)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private struct Source {
            var instance: String
            var backup: String
        }

        /// An instance with a row, and a backup of it.
        private func prepared(_ plane: ControlPlane) async throws -> Source {
            let client = try await RESTClient.login(plane)
            let id = try await client.create(
                name: "source",
                extra: [
                    "databases": [["name": "shop"]],
                    "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
                ]
            )
            let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
            _ = try await SQL.run(
                address, user: "clerk", password: "s3cret", database: "shop",
                "CREATE TABLE t (n INT); INSERT INTO t VALUES (7)"
            )
            return Source(instance: id, backup: try await backup(client, of: id))
        }

        private func backup(_ client: RESTClient, of id: String, name: String = "kept") async throws -> String {
            let backup = try await request(client, backupOf: id, name: name)
            try await client.waitBackup(backup, for: "COMPLETED")
            return backup
        }

        private func request(
            _ client: RESTClient, backupOf id: String, name: String, isIncremental: Bool = false
        ) async throws -> String {
            let body: JSONValue = [
                "backup": [
                    "name": .string(name), "instance": .string(id), "incremental": isIncremental ? 1 : 0,
                ]
            ]
            let answer = try await client.must("POST", "/backups", body)
            return try #require(answer["backup"]?["id"]?.stringValue)
        }

        /// What is drilled at a point. A restore takes the create's flow, so both are drilled at its points.
        enum Operation: String {
            case create, restore, delete, restart, reboot, backup, increment
            case deleteBackup = "delete-backup"
            case deleteChain = "delete-chain"
            case attach, detach
            case changeGroup = "change-group"
            case growVolume = "grow-volume"
            case changeFlavor = "change-flavor"
            case upgrade, rebuild
            case access
            case upgradeGuest = "upgrade-guest"

            var isAdministrators: Bool { [.reboot, .rebuild, .upgradeGuest].contains(self) }
        }

        private static func operations(_ point: String) throws -> [Operation] {
            switch point.split(separator: "/")[0] {
            case "create_instance": [.create, .restore]
            case "delete_instance": [.delete]
            case "restart_instance": [.restart]
            case "reboot_instance": [.reboot]
            case "create_backup": [.backup, .increment]
            case "delete_backup": [.deleteBackup, .deleteChain]
            case "attach_configuration": [.attach]
            case "detach_configuration": [.detach]
            case "apply_configuration": [.changeGroup]
            case "resize_volume": [.growVolume]
            case "resize_flavor": [.changeFlavor]
            case "upgrade_instance": [.upgrade]
            case "rebuild_instance": [.rebuild]
            case "update_access": [.access]
            case "upgrade_guest": [.upgradeGuest]
            // Drilled by `MigrationRecoveryTests`, with two versions of a plugin.
            case "migrate_plugin": []
            // Drilled by `ModuleTests`.
            case "reapply_module": []
            default: throw TestFailure("no drill for this flow")
            }
        }

        /// Does the operation with a control plane that dies at `point`, then looks whether the next one finishes it.
        private func survive(_ point: String, _ operation: Operation, _ plane: ControlPlane, source: Source)
            async throws
        {
            // What a delete needs is made before the drill begins.
            var subject = source.instance
            if [.delete, .deleteBackup, .deleteChain].contains(operation) {
                try await plane.start()
                let client = try await RESTClient.login(plane)
                if operation == .delete {
                    subject = try await client.create(name: "victim")
                    try await client.wait(subject, for: "ACTIVE")
                } else {
                    subject = try await backup(client, of: source.instance, name: "victim")
                    if operation == .deleteChain {
                        for _ in 0..<2 {
                            let child = try await request(
                                client, backupOf: source.instance, name: "victim", isIncremental: true)
                            try await client.waitBackup(child, for: "COMPLETED")
                        }
                    }
                }
                try await plane.stop()
            }
            if [.attach, .detach, .changeGroup].contains(operation) {
                try await plane.start()
                let client = try await RESTClient.login(plane)
                subject = try await group(client)
                if operation != .attach { try await assign(subject, to: source, client) }
                try await plane.stop()
            }
            try await plane.start(arguments: ["--crash-at", point])
            let client = try await RESTClient.login(plane, asAdministrator: operation.isAdministrators)
            // The end may come before the answer does: what counts is that the request was accepted.
            do { try await begin(operation, client, subject: subject, source: source) } catch is URLError {}
            try await plane.waitForEnd(seconds: 60)

            try await plane.start()
            try await finish(operation, try await RESTClient.login(plane), subject: subject, source: source)
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(point): \(audit.output)")
            try await plane.stop()
        }

        private func begin(
            _ operation: Operation, _ client: RESTClient, subject: String, source: Source
        ) async throws {
            switch operation {
            case .create: _ = try await client.create(name: "drill")
            case .restore: _ = try await client.create(name: "drill", backup: source.backup)
            case .delete: try await client.must("DELETE", "/instances/\(subject)")
            case .restart: try await client.must("POST", "/instances/\(subject)/action", ["restart": [:]])
            case .reboot: try await client.must("POST", "/mgmt/instances/\(subject)/action", ["reboot": [:]])
            case .upgradeGuest: try await client.must("POST", "/mgmt/instances/\(subject)/upgrade", ["upgrade": [:]])
            case .backup: _ = try await request(client, backupOf: subject, name: "drill")
            case .increment:
                _ = try await request(client, backupOf: subject, name: "drill", isIncremental: true)
            case .deleteBackup, .deleteChain: try await client.must("DELETE", "/backups/\(subject)")
            case .attach: try await assign(subject, to: source, client)
            case .detach: try await assign(nil, to: source, client)
            case .access:
                try await client.must(
                    "PUT", "/instances/\(subject)", ["instance": ["access": ["allowed_cidrs": ["127.90.0.7"]]]])
            case .changeGroup:
                try await client.must(
                    "PATCH", "/configurations/\(subject)", ["configuration": ["values": ["max_connections": 48]]])
            case .growVolume, .changeFlavor, .upgrade, .rebuild: try await reshape(operation, client, subject)
            }
        }

        private func group(_ client: RESTClient) async throws -> String {
            let answer = try await client.must(
                "POST", "/configurations",
                [
                    "configuration": [
                        "name": "drill", "values": ["max_connections": 47],
                        "datastore": ["type": "mariadb", "version": "10.11"],
                    ]
                ])
            return try #require(answer["configuration"]?["id"]?.stringValue)
        }

        private func assign(_ group: String?, to source: Source, _ client: RESTClient) async throws {
            try await client.must(
                "PUT", "/instances/\(source.instance)", ["instance": ["configuration": .optional(group)]])
        }

        /// Server and row agree in the end; then the group is taken away.
        private func finishGroup(
            _ operation: Operation, _ client: RESTClient, group: String, source: Source
        ) async throws {
            let path = "/instances/\(source.instance)"
            let defaults = try await client.must("GET", path + "/configuration")["instance"]?["configuration"]
            let expected = [.attach: "47", .changeGroup: "48"][operation] ?? defaults?["max_connections"]?.stringValue
            let address = try SQL.address(try await client.must("GET", path)["instance"] ?? .null)
            try await eventually(60, "the server has \(expected ?? "none")") {
                let shown = try await client.must("GET", path)["instance"]
                let value = try await SQL.run(
                    address, user: "clerk", password: "s3cret", "SELECT @@global.max_connections")
                let isAttached = shown?["configuration"]?["id"] == .string(group)
                return value == expected && shown?["operating_status"] == "HEALTHY"
                    && isAttached == (operation != .detach)
            }
            try await assign(nil, to: source, client)
            try await client.must("DELETE", "/configurations/\(group)")
        }

        private func finish(
            _ operation: Operation, _ client: RESTClient, subject: String, source: Source
        ) async throws {
            switch operation {
            case .create, .restore:
                let id = try await drilled(client, "instances")
                let shown = try await client.wait(id, for: "ACTIVE")
                if operation == .restore {
                    let rows = try await SQL.run(
                        try SQL.address(shown), user: "clerk", password: "s3cret", database: "shop", "SELECT n FROM t"
                    )
                    #expect(rows == "7")
                }
                try await client.delete(id)
            case .delete: try await client.wait(subject, for: "GONE")
            case .restart, .reboot:
                try await client.wait(subject, for: "ACTIVE")
                // The task has not ended before the engine was reported to run.
                try await client.must("GET", "/instances/\(subject)/databases")
            case .backup, .increment:
                let id = try await drilled(client, "backups")
                let made = try await client.waitBackup(id, for: "COMPLETED")
                #expect(made["parent_id"] == (operation == .increment ? .string(source.backup) : .null))
                if operation == .increment {
                    let copy = try await client.create(name: "drill", backup: id)
                    let address = try SQL.address(try await client.wait(copy, for: "ACTIVE"))
                    let rows = try await SQL.run(
                        address, user: "clerk", password: "s3cret", database: "shop", "SELECT n FROM t")
                    #expect(rows == "7")
                    try await client.delete(copy)
                }
                try await client.must("DELETE", "/backups/\(id)")
                try await client.waitBackup(id, for: "GONE")
            case .deleteBackup, .deleteChain:
                try await client.waitBackup(subject, for: "GONE")
                let left = try await client.must("GET", "/backups")["backups"]?.arrayValue ?? []
                #expect(left.map { $0["id"] } == [.string(source.backup)])
            case .attach, .detach, .changeGroup:
                try await finishGroup(operation, client, group: subject, source: source)
            case .growVolume, .changeFlavor, .upgrade, .rebuild: try await finishReshape(client, subject)
            case .upgradeGuest:
                try await eventually(60, "every upgrade that was accepted is done") {
                    let own = try await client.events(of: subject).filter { $0["operation"] == "upgrade_guest" }
                    func count(_ event: JSONValue) -> Int { own.count { $0["event"] == event } }
                    return count("operation_accepted") > 0 && count("operation_accepted") == count("operation_done")
                }
                try await finishReshape(client, subject)
            case .access:
                let path = "/instances/\(subject)"
                let address = try SQL.address(try await client.must("GET", path)["instance"] ?? .null)
                try await eventually(60, "the rules are enforced") {
                    let shown = try await client.must("GET", path)["instance"]
                    return shown?["operating_status"] == "HEALTHY"
                        && BoundConnection.greets(address, 3306, from: "127.90.0.7")
                        && !BoundConnection.greets(address, 3306, from: "127.90.0.8")
                }
                try await client.must("PUT", path, ["instance": ["access": [:]]])
                #expect(BoundConnection.greets(address, 3306, from: "127.90.0.8"))
            }
        }

        /// Id of the one resource named `drill`.
        private func drilled(_ client: RESTClient, _ collection: String) async throws -> String {
            let items = try await client.must("GET", "/\(collection)")[collection]?.arrayValue ?? []
            let found = items.filter { $0["name"] == "drill" }.compactMap { $0["id"]?.stringValue }
            guard let id = found.first, found.count == 1 else {
                throw TestFailure("\(found.count) \(collection) named 'drill'; an accepted request makes one")
            }
            return id
        }

        @Test("the database outlives its agent and its control plane, and both are back", .timeLimit(.minutes(5)))
        func agentDies() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(
                    name: "steady",
                    extra: [
                        "databases": [["name": "shop"]],
                        "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
                    ]
                )
                let address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
                let engine = try await SQL.run(
                    address, user: "clerk", password: "s3cret", "SELECT @@pid_file, @@server_id")
                let started = try await uptime(address)
                let agent = try #require(Self.agent(of: id, in: plane))
                kill(agent, SIGKILL)
                #expect(try await uptime(address) >= started)
                try await eventually(30, "another agent is there") {
                    Self.agent(of: id, in: plane).map { $0 != agent } ?? false
                }
                try await eventually(30, "the new agent answers") {
                    try await client.call("GET", "/instances/\(id)/databases").status == 200
                }
                #expect(try await uptime(address) >= started, "the engine was not restarted")

                try await plane.kill9()
                #expect(try await uptime(address) >= started)
                try await plane.start()
                let again = try await RESTClient.login(plane)
                try await eventually(30, "the agent is connected again") {
                    try await again.call("GET", "/instances/\(id)/databases").status == 200
                }
                #expect(
                    try await SQL.run(address, user: "clerk", password: "s3cret", "SELECT @@pid_file, @@server_id")
                        == engine)

                try await plane.stop()
                #expect(try await uptime(address) >= started, "a clean stop leaves databases running")
                try await plane.start()
                try await RESTClient.login(plane).delete(id)
            }
        }

        private func uptime(_ address: String) async throws -> Int {
            let text = try await SQL.run(
                address, user: "clerk", password: "s3cret",
                "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'"
            )
            return Int(text) ?? -1
        }

        static func agent(of id: String, in plane: ControlPlane) -> pid_t? {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            for pid in names.compactMap({ pid_t($0) }) {
                guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { continue }
                let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                if words.first?.hasSuffix("/trove-guest") == true,
                    words.contains(where: { $0.contains(id) && $0.hasPrefix(plane.home) })
                {
                    return pid
                }
            }
            return nil
        }
    }
}
