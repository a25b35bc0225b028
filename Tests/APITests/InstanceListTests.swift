// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import TestSupport
import Testing

@Suite("Instances: lists and show")
struct InstanceListTests {
    private let alice = TestIdentity.projects["alice"] ?? ""

    private func keys(_ value: JSONValue?) -> Set<String> { Set((value?.objectValue ?? [:]).keys) }

    private static let listed: Set<String> = [
        "id", "name", "status", "operating_status", "links", "flavor", "datastore", "region", "access", "ip",
        "addresses", "volume",
    ]
    private static let detailed = listed.union(["created", "updated", "service_status_updated"])

    @Test("an empty list has its key and no links")
    func empty() async throws {
        try await withAPI { api in
            #expect(await api.send("GET", "/instances").json == ["instances": []])
            #expect(await api.send("GET", "/instances/detail").json == ["instances": []])
        }
    }

    @Test("a list item has exactly the contract's members")
    func item() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let item = await api.send("GET", "/instances").json["instances"]?[0]
            #expect(keys(item) == Self.listed)
            let host = "https://127.0.0.1:8779"
            #expect(
                item?["links"] == [
                    ["rel": "self", "href": .string("\(host)/v1.0/\(alice)/instances/\(id)")],
                    ["rel": "bookmark", "href": .string("\(host)/instances/\(id)")],
                ]
            )
            #expect(item?["flavor"]?["id"] == "1")
            #expect(item?["flavor"]?["links"]?[1]?["href"] == .string("\(host)/flavors/1"))
            #expect(item?["datastore"] == ["type": "mariadb", "version": "11.4"])
            #expect(item?["status"] == "ACTIVE")
            #expect(item?["operating_status"] == "HEALTHY")
            #expect(item?["region"] == "RegionOne")
            #expect(item?["access"] == ["is_public": false])
            #expect(item?["ip"] == ["127.1.2.3"])
            #expect(item?["addresses"] == [["address": "127.1.2.3", "type": "private"]])
            #expect(item?["volume"] == ["size": 2])
        }
    }

    @Test("details add times and the version's number")
    func detail() async throws {
        try await withAPI { api in
            _ = try await api.insertRunning()
            let item = await api.send("GET", "/instances/detail").json["instances"]?[0]
            #expect(keys(item) == Self.detailed)
            #expect(item?["datastore"] == ["type": "mariadb", "version": "11.4", "version_number": "11.4.1"])
            #expect(item?["created"] == "2020-09-13T12:26:40")
        }
    }

    @Test("a list shows what details show, without what only they have")
    func listAndDetail() async throws {
        try await withAPI { api in
            let changes: [@Sendable (inout InstanceRecord) -> Void] = [
                { $0.access = ["is_public": true, "allowed_cidrs": ["10.0.0.0/8"]] },
                { $0.address = nil },
                { $0.name = "a \"quoted\" name\n" },
                { $0.task = .resizing },
                { $0.task = .buildingErrorVolume },
                { $0.serverStatus = .shutdown },
                { $0.region = nil },
            ]
            for token in ["alice", "admin"] {
                for change in changes { _ = try await api.insertRunning(of: token, change: change) }
                let backedUp = try await api.insertRunning(of: token)
                _ = try await api.insertBackup(of: token, instance: backedUp, state: .building)
                let list = await api.send("GET", "/instances", as: token).json["instances"]?.arrayValue ?? []
                let details = await api.send("GET", "/instances/detail", as: token).json["instances"]?.arrayValue ?? []
                #expect(list.count == changes.count + 1)
                #expect(list.contains { $0["status"] == "BACKUP" })
                #expect(list.allSatisfy { ($0["tenant_id"] != nil) == (token == "admin") })
                let expected = details.map { item in
                    var members = item.objectValue ?? [:]
                    for name in ["created", "updated", "service_status_updated", "fault"] { members[name] = nil }
                    for name in ["server_id", "volume_id", "encrypted_rpc_messaging"] { members[name] = nil }
                    if case .object(var datastore) = members["datastore"] {
                        datastore["version_number"] = nil
                        members["datastore"] = .object(datastore)
                    }
                    return JSONValue.object(members)
                }
                #expect(list == expected)
            }
        }
    }

    @Test("what is no member of a cluster is there whether members are asked for or not")
    func includeClustered() async throws {
        try await withAPI { api in
            try await api.insertRunning()
            for path in ["/instances", "/instances/detail"] {
                let plain = await api.send("GET", path)
                let all = await api.send("GET", path + "?include_clustered=True")
                #expect(plain.body == all.body && plain.json["instances"]?.arrayValue?.count == 1)
            }
        }
    }

    @Test("administrators see whether an instance's messages are sealed", arguments: [nil, "sealed key"])
    func encryption(key: String?) async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.encryptedKey = key }
            let shown = await api.send("GET", "/instances/\(id)", as: "admin").json["instance"]
            #expect(shown?["encrypted_rpc_messaging"] == .bool(key != nil))
        }
    }

    @Test("a show adds the volume's usage, from the last report")
    func show() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let without = await api.send("GET", "/instances/\(id)").json["instance"]
            #expect(keys(without) == Self.detailed)
            #expect(without?["volume"] == ["size": 2])
            _ = try await api.store.write(.relaxed) { [now = api.clock.now] transaction in
                try transaction.instances.setServices([
                    ServiceReport(
                        instanceID: id, status: .healthy, heartbeat: now, volumeUsedBytes: 161_061_274)
                ])
            }
            #expect(
                await api.send("GET", "/instances/\(id)").json["instance"]?["volume"]
                    == ["size": 2, "used": 0.15, "used_percent": 7.5])
        }
    }

    @Test("an instance that is being built has neither address nor access, and administrators see more")
    func building() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { record in
                record.task = .building
                record.service = .new
                record.serverStatus = .build
                record.address = nil
                record.serverID = nil
            }
            let own = await api.send("GET", "/instances/\(id)").json["instance"]
            #expect(keys(own) == Self.detailed.subtracting(["ip", "addresses"]))
            #expect(own?["access"] == [:])
            #expect(own?["status"] == "BUILD")
            #expect(own?["operating_status"] == "")
            let admin = await api.send("GET", "/instances/\(id)", as: "admin").json["instance"]
            #expect(
                keys(admin).subtracting(keys(own)) == [
                    "tenant_id", "server_id", "volume_id", "encrypted_rpc_messaging",
                ])
            #expect(admin?["tenant_id"] == .string(alice))
            #expect(admin?["server_id"] == .some(.null))
        }
    }

    @Test("a silent guest is shown as ERROR, and a backup as BACKUP")
    func derived() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            _ = try await api.insertBackup(instance: id, state: .building)
            let during = await api.send("GET", "/instances/\(id)").json["instance"]
            #expect(during?["status"] == "BACKUP")
            #expect(during?["operating_status"] == "HEALTHY")
            api.clock.advance(by: .seconds(90))
            let later = await api.send("GET", "/instances").json["instances"]?[0]
            #expect(later?["operating_status"] == "ERROR")
        }
    }

    @Test("a fault is shown; its details to administrators only")
    func fault() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.task = .buildingErrorVolume }
            let saved = FaultRecord(instanceID: id, message: "no room", details: "trace", created: api.clock.now)
            try await api.store.write(.relaxed) { try $0.faults.save(saved) }
            let own = await api.send("GET", "/instances/\(id)").json["instance"]
            #expect(own?["status"] == "ERROR")
            #expect(own?["fault"] == ["message": "no room", "created": "2020-09-13T12:26:40", "details": .null])
            let admin = await api.send("GET", "/instances/\(id)", as: "admin").json["instance"]
            #expect(admin?["fault"]?["details"] == "trace")
            #expect(await api.send("GET", "/instances").json["instances"]?[0]?["fault"] == nil)
        }
    }

    @Test("other projects' instances do not exist, but administrators see them by id")
    func ownership() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            expectFault(await api.send("GET", "/instances/\(id)", as: "bob"), 404, "Resource \(id) cannot be found.")
            expectFault(await api.send("GET", "/instances/nope"), 404, "Resource nope cannot be found.")
            #expect(await api.send("GET", "/instances", as: "bob").json == ["instances": []])
            #expect(await api.send("GET", "/instances", as: "admin").json == ["instances": []])
            #expect(await api.send("GET", "/instances/\(id)", as: "admin").status == 200)
        }
    }

    @Test("walking the pages meets every instance once, newest first in a page")
    func pages() async throws {
        try await withAPI { api in
            var expected: Set<String> = []
            for number in 0..<45 {
                let created = api.clock.now + .seconds(number * 37 % 45)
                expected.insert(try await api.insertRunning(name: "db\(number)") { $0.created = created })
            }
            var target: String? = "/instances?include_clustered=False"
            var seen: [String] = []
            var pages = 0
            while let path = target {
                let json = await api.send("GET", path).json
                let items = json["instances"]?.arrayValue ?? []
                seen += items.compactMap { $0["id"]?.stringValue }
                pages += 1
                let href = json["links"]?[0]?["href"]?.stringValue
                #expect(json["links"]?[0]?["rel"] == (href == nil ? nil : "next"))
                let base = "http://127.0.0.1:8779/v1.0/\(alice)"
                if let href { #expect(href.hasPrefix(base + "/instances?include_clustered=False&marker=")) }
                target = href.map { String($0.dropFirst(base.count)) }
            }
            #expect(pages == 3)
            #expect(seen.count == 45)
            #expect(Set(seen) == expected)
            let details = await api.send("GET", "/instances/detail?limit=10").json["instances"]?.arrayValue ?? []
            let times = details.compactMap { $0["created"]?.stringValue }
            #expect(times.count == 10)
            #expect(times == times.sorted(by: >))
        }
    }

    @Test("limits are clipped to the page size; others than positive integers are 400")
    func limits() async throws {
        try await withAPI { api in
            for _ in 0..<21 { _ = try await api.insertRunning() }
            let clipped = await api.send("GET", "/instances?limit=1000").json
            #expect(clipped["instances"]?.arrayValue?.count == 20)
            #expect(clipped["links"] != nil)
            for limit in ["0", "-1", "x", "1.5"] {
                expectFault(
                    await api.send("GET", "/instances?limit=\(limit)"), 400,
                    "The query parameter 'limit' must be a positive integer.")
            }
            #expect(await api.send("GET", "/instances?marker=~").json["instances"] == [])
        }
    }
}
