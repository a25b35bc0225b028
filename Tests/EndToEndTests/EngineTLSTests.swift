// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Model
import Testing

extension EndToEnd {
    /// TLS of real engines: tenants bring certificates, and the engines' own clients see what becomes of them.
    @Suite("TLS of engines", .serialized)
    struct EngineTLSTests {
        private static let login = Login(user: "clerk", password: "s3cret-Clerk")

        @Test(
            "TLS is turned on, exchanged, enforced, asked of clients too, taken back and turned off",
            .timeLimit(.minutes(10)), arguments: TLSEngine.all)
        private func life(_ engine: TLSEngine) async throws {
            try await ControlPlane.with(configure: { try engine.engine.enable(in: $0) }) { plane in
                let run = try await EngineTLSRun(engine, plane, Self.login)
                try await run.refusals()
                try await run.basic()
                try await run.rotation()
                try await run.crash()
                try await run.enforced()
                try await run.rebuild()
                try await run.mutual()
                try await run.agent()
                try await run.rollback()
                try await run.off()
                try await run.client.delete(run.id)
            }
        }

        @Test("an engine without TLS says so", .timeLimit(.minutes(4)))
        func unsupported() async throws {
            try await ControlPlane.with(configure: { try EngineUnderTest.redis.enable(in: $0) }) { plane in
                let client = try await RESTClient.login(plane)
                let body: JSONValue = [
                    "instance": [
                        "name": "clear", "flavorRef": "1", "volume": ["size": 1],
                        "datastore": ["type": "redis", "version": "7.0"],
                    ]
                ]
                let id = try #require(
                    try await client.must("POST", "/instances", body)["instance"]?["id"]?.stringValue)
                try await client.wait(id, for: "ACTIVE")
                for answer in [
                    try await client.call("GET", "/instances/\(id)/ssl"),
                    try await client.call("POST", "/instances/\(id)/ssl", ["ssl": ["disable": true]]),
                ] {
                    #expect(answer.status == 501)
                    let message = answer.body?["notImplemented"]?["message"]
                    #expect(message == "TLS is not supported for the 'redis' datastore.")
                }
                try await client.delete(id)
            }
        }
    }
}

/// One instance and what is done with its TLS.
private final class EngineTLSRun {
    let engine: TLSEngine
    let plane: ControlPlane
    let client: RESTClient
    let id: String
    private let admin: RESTClient
    private let keys: KeyManagerClient
    private let login: Login
    private let address: String
    private let authority: TestAuthority
    private let stranger: TestAuthority
    private let first: TestAuthority.Pair
    private let second: TestAuthority.Pair

    init(_ engine: TLSEngine, _ plane: ControlPlane, _ login: Login) async throws {
        (self.engine, self.plane, self.login) = (engine, plane, login)
        client = try await RESTClient.login(plane)
        admin = try await RESTClient.login(plane, asAdministrator: true)
        keys = try KeyManagerClient(client)
        let databases: JSONValue = [["name": "shop"]]
        let answer = try await client.must(
            "POST", "/instances",
            [
                "instance": [
                    "name": "private", "flavorRef": "1", "volume": ["size": 1], "databases": databases,
                    "users": [
                        ["name": .string(login.user), "password": .string(login.password), "databases": databases]
                    ],
                    "datastore": ["type": .string(engine.engine.datastore), "version": .string(engine.engine.version)],
                ]
            ])
        id = try #require(answer["instance"]?["id"]?.stringValue)
        address = try SQL.address(try await client.wait(id, for: "ACTIVE"))
        authority = try await TestAuthority("authority", in: plane.home + "/certificates")
        stranger = try await TestAuthority("stranger", in: plane.home + "/certificates")
        first = try await authority.issue("first", address: address)
        second = try await authority.issue("second", address: address)
    }

    // MARK: Steps

    func refusals() async throws {
        #expect(try await show() == ["status": "off", "mode": "builtin"])
        let good = try await keys.container(first, authority: authority)
        let mixed = try await keys.container(first, key: try second.key, authority: authority)
        let late = try await keys.container(
            try await authority.issue("late", address: address, isExpired: true), authority: nil)
        let alone = try await keys.container(first, authority: nil)
        let missing = good.replacingOccurrences(of: "containers/", with: "containers/0")
        let wishes: [(JSONValue, String)] = [
            (["enable": true, "container_ref": .string(mixed)], "private key"),
            (["enable": true, "container_ref": .string(late)], "expired"),
            (["enable": true, "container_ref": .string(missing)], missing),
            (["enable": true], "container_ref"), (["rollback": true], "no earlier TLS"),
            (["enable": true, "mode": "mtls", "container_ref": .string(alone)], "authority"),
            (["enable": true, "mode": "other", "container_ref": .string(good)], "Available options"),
        ]
        for (wish, words) in wishes {
            let answer = try await client.call("POST", "/instances/\(id)/ssl", ["ssl": wish])
            #expect(answer.status == 400)
            let message = answer.body?["badRequest"]?["message"]?.stringValue ?? ""
            #expect(message.contains(words), "\(message)")
        }
        let plan = try await client.must(
            "POST", "/instances/\(id)/ssl?dry_run=true", ["ssl": ["enable": true, "container_ref": .string(good)]])
        #expect(plan["plan"]?.arrayValue?.count == 1)
        #expect(try await show() == ["status": "off", "mode": "builtin"])
        #expect(try await engine.serial(at: address) == nil)
        #expect(try await engine.admits(login, .plain, at: address))
    }

    func basic() async throws {
        let container = try await keys.container(first, authority: authority)
        let answer = try await change(["enable": true, "container_ref": .string(container)])
        #expect(answer["status"] == "on" && answer["mode"] == "basic")
        try await restartIfNeeded(answer)
        let shown = try await show()
        #expect(shown["status"] == "on" && shown["mode"] == "basic")
        #expect(shown["certificate"]?["cn"] == "first" && shown["certificate"]?["payload"] == nil)
        let names = shown["certificate"]?["san"]?.arrayValue ?? []
        #expect(names == [.string("IP:" + address), "DNS:first.example"])
        let full = try await client.must("GET", "/instances/\(id)/ssl?include_certificate=true")["ssl"]
        #expect(full?["certificate"]?["payload"]?.stringValue?.hasPrefix(try first.certificate) == true)
        #expect(full?.text.contains("PRIVATE KEY") == false)
        #expect(try await engine.admits(login, .verified(authority), at: address))
        #expect(try await !engine.admits(login, .verified(stranger), at: address))
        #expect(try await engine.admits(login, .plain, at: address))
        #expect(try await engine.serial(at: address) == first.serial)
        try files()
    }

    /// The key is the engine's alone, and not with the data.
    private func files() throws {
        let (key, certificate) = (try facts("key.pem"), try facts("certificate.pem"))
        #expect(key.mode == 0o400 && key.uid == certificate.uid)
        let data = try FileManager.default.subpathsOfDirectory(atPath: "/proc/\(try enginePID())/root\(dataDirectory)")
        #expect(!data.contains { $0.hasSuffix(".pem") })
        let log = (try? String(contentsOfFile: plane.logPath, encoding: .utf8)) ?? ""
        #expect(!log.contains("PRIVATE KEY"))
        let agent = plane.home + "/instances/\(id)/log/agent.log"
        #expect(!((try? String(contentsOfFile: agent, encoding: .utf8)) ?? "").contains("PRIVATE KEY"))
    }

    func rotation() async throws {
        let before = try enginePID()
        let container = try await keys.container(second, authority: authority)
        let answer = try await change(["enable": true, "container_ref": .string(container)])
        #expect(answer["restart_required"] == false)
        try await eventually(10, "the engine shows the second certificate") {
            try await engine.serial(at: address) == second.serial
        }
        #expect(try enginePID() == before)
        #expect(try await show()["certificate"]?["cn"] == "second")
    }

    func crash() async throws {
        let before = try enginePID()
        kill(before, SIGKILL)
        try await eventually(60, "the engine is back, with TLS") {
            try await engine.admits(login, .verified(authority), at: address)
        }
        #expect(try enginePID() != before)
        #expect(try await engine.serial(at: address) == second.serial)
    }

    func enforced() async throws {
        try await settled()
        let container = try await keys.container(second, authority: authority)
        let answer = try await change(
            ["enable": true, "mode": "enforced", "container_ref": .string(container)])
        #expect(answer == ["status": "on", "mode": "enforced", "restart_required": false])
        try await eventually(10, "nobody gets in without TLS") {
            try await !engine.admits(login, .plain, at: address)
        }
        #expect(try await engine.admits(login, .verified(authority), at: address))
        // The agent still gets in, and so does a backup.
        let user: JSONValue = ["name": "later", "password": "s3cret-Later", "databases": [["name": "shop"]]]
        try await client.must("POST", "/instances/\(id)/users", ["users": [user]])
        let later = Login(user: "later", password: "s3cret-Later")
        #expect(try await engine.admits(later, .verified(authority), at: address))
        let backup = try await client.must(
            "POST", "/backups", ["backup": ["name": "kept", "instance": .string(id)]])
        let backupID = try #require(backup["backup"]?["id"]?.stringValue)
        try await client.waitBackup(backupID, for: "COMPLETED")
        try await client.must("DELETE", "/backups/\(backupID)")
        try await client.waitBackup(backupID, for: "GONE")
    }

    func rebuild() async throws {
        let versions = try await admin.must("GET", "/mgmt/datastore-versions")["versions"]?.arrayValue ?? []
        let own = try #require(versions.first { $0["name"] == .string(engine.engine.version) }?["id"])
        try await admin.must("POST", "/mgmt/instances/\(id)/action", ["rebuild": ["image_id": own]])
        try await client.wait(id, for: "ACTIVE")
        try await settled()
        #expect(try await engine.admits(login, .verified(authority), at: address))
        #expect(try await !engine.admits(login, .plain, at: address))
        #expect(try await show()["mode"] == "enforced")
    }

    func mutual() async throws {
        let container = try await keys.container(second, authority: authority)
        let answer = try await change(["enable": true, "mode": "mtls", "container_ref": .string(container)])
        try await restartIfNeeded(answer)
        let own = try await authority.issue("clerk")
        let foreign = try await stranger.issue("clerk")
        try await eventually(20, "nobody gets in without a certificate") {
            try await !engine.admits(login, .verified(authority), at: address)
        }
        #expect(try await engine.admits(login, .verified(authority, with: own), at: address))
        #expect(try await !engine.admits(login, .verified(authority, with: foreign), at: address))
        #expect(try await !engine.admits(login, .plain, at: address))
        let user: JSONValue = ["name": "last", "password": "s3cret-Last", "databases": [["name": "shop"]]]
        try await client.must("POST", "/instances/\(id)/users", ["users": [user]])
        let root = try await client.must("POST", "/instances/\(id)/root", [:])["user"]?["password"]?.stringValue ?? ""
        for login in [Login(user: "last", password: "s3cret-Last"), Login(user: engine.root, password: root)] {
            #expect(try await engine.admits(login, .verified(authority, with: own), at: address))
            #expect(try await !engine.admits(login, .verified(authority), at: address))
        }
        try await client.must("DELETE", "/instances/\(id)/root")
    }

    func agent() async throws {
        let agent = try #require(EndToEnd.RecoveryTests.agent(of: id, in: plane))
        kill(agent, SIGKILL)
        try await eventually(60, "another agent tells of TLS") {
            guard EndToEnd.RecoveryTests.agent(of: id, in: plane).map({ $0 != agent }) ?? false else { return false }
            let answer = try await client.call("GET", "/instances/\(id)/ssl")
            return answer.status == 200 && answer.body?["ssl"]?["mode"] == "mtls"
        }
    }

    func rollback() async throws {
        try await settled()
        let answer = try await change(["rollback": true])
        #expect(answer["status"] == "on" && answer["mode"] == "enforced")
        try await restartIfNeeded(answer)
        try await eventually(20, "a certificate is no longer asked for") {
            try await engine.admits(login, .verified(authority), at: address)
        }
        #expect(try await !engine.admits(login, .plain, at: address))
        #expect(try await show()["mode"] == "enforced")
    }

    func off() async throws {
        let answer = try await change(["disable": true])
        #expect(answer["status"] == "off" && answer["mode"] == "builtin")
        try await restartIfNeeded(answer)
        #expect(try await show() == ["status": "off", "mode": "builtin"])
        try await eventually(20, "plain connections are taken again") {
            try await engine.admits(login, .plain, at: address)
        }
        #expect(try await engine.serial(at: address) == nil)
        #expect(access(runDirectory + "/tls/key.pem", F_OK) != 0)
        // Once more changes nothing.
        #expect(try await change(["disable": true])["restart_required"] == false)
    }

    // MARK: Parts

    private func show() async throws -> JSONValue {
        try await client.must("GET", "/instances/\(id)/ssl")["ssl"] ?? .null
    }

    private func change(_ wish: JSONValue) async throws -> JSONValue {
        try await client.must("POST", "/instances/\(id)/ssl", ["ssl": wish])["ssl"] ?? .null
    }

    /// A change that waits for a restart is told as such until there was one.
    private func restartIfNeeded(_ answer: JSONValue) async throws {
        guard answer["restart_required"] == true else { return }
        try await eventually(30, "the instance says that it needs a restart") {
            try await client.must("GET", "/instances/\(id)")["instance"]?["operating_status"] == "RESTART_REQUIRED"
        }
        try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
        try await client.wait(id, for: "ACTIVE")
        try await settled()
    }

    private func settled() async throws {
        try await eventually(60, "the instance is well") {
            try await client.must("GET", "/instances/\(id)")["instance"]?["operating_status"] == "HEALTHY"
        }
    }

    private func enginePID() throws -> pid_t {
        let text = try String(contentsOfFile: plane.home + "/instances/\(id)/state/engine.json", encoding: .utf8)
        return pid_t(try #require(try JSONValue(parsing: text)["pid"]?.intValue))
    }

    private var guest: JSONValue {
        let text = try? String(contentsOfFile: plane.home + "/instances/\(id)/guest.json", encoding: .utf8)
        return (try? JSONValue(parsing: text ?? "")) ?? .null
    }
    private var runDirectory: String { guest["run_dir"]?.stringValue ?? "" }
    private var dataDirectory: String { guest["data_dir"]?.stringValue ?? "" }

    private func facts(_ name: String) throws -> (mode: mode_t, uid: uid_t) {
        var status = stat()
        guard stat(runDirectory + "/tls/" + name, &status) == 0 else { throw TestFailure("there is no \(name)") }
        return (status.st_mode & 0o777, status.st_uid)
    }
}
