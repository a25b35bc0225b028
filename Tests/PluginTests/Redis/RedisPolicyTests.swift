// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

@Suite("Redis' policy")
struct RedisPolicyTests {
    static func refusal(_ more: [String: JSON]) throws -> String? {
        let request = JSON.object(
            ["version": "7.0", "memory_mb": 512, "vcpus": 1, "volume_gib": 1, "databases": [], "users": []]
                .merging(more) { _, new in new })
        return try refusal(\.validate_create, request)
    }

    static func refusal(_ function: KeyPath<trove_datastore_policy_1, Policy.Function?>, _ request: JSON) throws
        -> String?
    {
        do {
            _ = try Policy.call(function, request, image: PluginImage.redis)
            return nil
        } catch let failure as CallFailure {
            #expect(failure.status == 1)
            return failure.message
        }
    }

    @Test("a sound request passes; databases, hosts and grants do not")
    func create() throws {
        #expect(
            try Self.refusal(["users": [["name": "ann", "password": "p"]], "configuration": ["timeout": 5]]) == nil)
        #expect(
            try Self.refusal(["databases": [["name": "shop"]]])
                == "Databases cannot be made in this datastore: it has numbered ones, which are always there.")
        let users: [JSON] = [
            ["name": "default", "password": "x"], ["name": "os_admin", "password": "x"], ["name": "", "password": "x"],
            ["name": "a b", "password": "x"], ["name": "a", "password": ""], ["name": "a", "password": "a\u{0}"],
            ["name": "a", "password": "x", "host": "10.0.0.%"],
            ["name": "a", "password": "x", "databases": [["name": "0"]]],
            ["name": .string(String(repeating: "u", count: 129)), "password": "x"],
        ]
        for user in users { #expect(try Self.refusal(["users": [user]]) != nil, "\(user.text)") }
        let user: JSON = ["name": "a", "password": "x"]
        #expect(try Self.refusal(["users": [user, user]])?.hasPrefix("Two or more users") == true)
        #expect(try Self.refusal(["memory_mb": 63]) != nil)
        #expect(try Self.refusal(["volume_gib": 0]) != nil)
        #expect(try Self.refusal(["configuration": ["maxmemory": 536_870_913]]) != nil)
    }

    @Test(
        "settings of the service's own, and values that a setting does not take, are refused",
        arguments: [
            ["dir": "/"], ["port": 1], ["requirepass": "x"], ["loadmodule": "/x.so"], ["replicaof": "h 1"],
            ["appendfsync": "sometimes"], ["timeout": "1"], ["timeout": -1], ["timeout": .double(1.5)], ["save": "900"],
            ["save": "1 1\nport 1"], ["save": "a b"], ["appendonly": "maybe"], ["notify-keyspace-events": "K\"E"],
            ["maxmemory": 0], ["x y": 1],
        ] as [JSON])
    func badSettings(_ values: JSON) throws {
        #expect(try Self.refusal(["configuration": values]) != nil)
        #expect(try Self.refusal(\.validate_configuration, ["version": "7.0", "values": values]) != nil)
    }

    @Test("keys get a part of the memory, and the data is kept", arguments: [64, 512, 16384])
    func render(_ size: Int) throws {
        func lines(_ overrides: JSON) throws -> [String] {
            let request: JSON = [
                "version": "7.0", "memory_mb": .int(Int64(size)), "vcpus": 1, "volume_gib": 1, "instance_id": "i",
                "overrides": overrides,
            ]
            return try Policy.call(\.render_configuration, request, image: PluginImage.redis).text("config_contents")
                .split(separator: "\n").map(String.init)
        }
        let plain = try lines([:])
        #expect(plain.contains("maxmemory \(size * 60 / 100 << 20)"))
        #expect(plain.contains("appendonly yes") && plain.contains("save \"\""))
        let off = try lines(["appendonly": false])
        #expect(off.contains("appendonly no") && off.contains("save 3600 1 300 100 60 10000"))
        let own = try lines(["appendonly": "no", "save": "60 5", "maxmemory_policy": "allkeys-lru"])
        #expect(own.contains("save 60 5") && own.contains("maxmemory-policy allkeys-lru"))
        #expect(own.filter { $0.hasPrefix("save ") }.count == 1)
    }

    @Test("every setting of the catalogue is one that the engine has, with its default")
    func catalogue() async throws {
        let emitted = try Policy.call(\.parameters, ["version": "7.0"], image: PluginImage.redis)
        #expect(try SchemaChecker.load().problems(emitted, "parameters") == [])
        let parameters = try emitted.list("parameters")
        #expect(parameters.count >= 40)
        let values = Dictionary(
            uniqueKeysWithValues: try parameters.compactMap { parameter in
                try parameter["default"].map { (try parameter.text("name"), $0) }
            })
        #expect(try Self.refusal(["configuration": .object(values)]) == nil)
        guard RedisEngine.isInstalled else { return }
        // The engine starts with all of them written out.
        try await RedisEngineTests.withEngine(overrides: .object(values)) { engine in
            #expect(try engine.session.status().status == 1)
            let apply: JSON = [
                "values": .object(values), "config_contents": .string(try RedisEngine.configuration(.object(values))),
            ]
            let waiting = try engine.session.call(\.apply_configuration, apply)["restart_required"]?.arrayValue
            #expect(waiting == ["databases", "io-threads", "tcp-backlog"])
            engine.stop()
            // One that is down has everything with its next start.
            let down: JSON = ["maxclients": 77]
            let late = try engine.session.call(
                \.apply_configuration,
                ["values": down, "config_contents": .string(try RedisEngine.configuration(down))])
            #expect(late == ["restart_required": ["maxclients"]])
            _ = try engine.start()
            #expect(try engine.session.status().status == 1)
        }
    }

    @Test("snapshots and the log of changes are not both off")
    func both() throws {
        let values: JSON = ["appendonly": false, "save": ""]
        #expect(try Self.refusal(\.validate_configuration, ["version": "7.0", "values": values]) != nil)
        #expect(try Self.refusal(\.validate_configuration, ["version": "7.0", "values": ["appendonly": false]]) == nil)
    }

    @Test("an upgrade goes to the same or a newer release")
    func upgrade() throws {
        func plan(_ from: String, _ to: String) throws -> JSON {
            try Policy.call(\.plan_upgrade, ["from": .string(from), "to": .string(to)], image: PluginImage.redis)
        }
        #expect(try plan("7.0", "7.2") == ["restart": true, "seconds": 5, "reversible": false])
        #expect(try plan("7.0", "7.0.15")["reversible"] == true)
        for (from, to) in [("7.2", "7.0"), ("7.0", "x"), ("6.2", "8")] {
            #expect(EngineTests.status { _ = try plan(from, to) } == 5, "\(from) to \(to)")
        }
    }
}
