// SPDX-License-Identifier: Apache-2.0

import API
import Model
import StateStore
import TestSupport
import Testing

@Suite("Management: accounts, hosts, storage")
struct HostManagementTests {
    private static let facts = HostFacts(
        name: "h1", memoryMiB: 4096, volumeBytes: 100 << 30, freeVolumeBytes: 75 << 30, promisableBytes: 200 << 30,
        promisedBytes: 50 << 30)

    /// The same API in a process whose host has these.
    private static func configuration(_ facts: HostFacts?) -> APIConfiguration {
        var configuration = APIFixture.configuration
        configuration.hostFacts = { facts }
        return configuration
    }

    @Test(
        "others than administrators are refused",
        arguments: ["accounts", "accounts/x", "hosts", "hosts/h1", "storage"])
    func administratorsOnly(path: String) async throws {
        try await withAPI { api in
            expectFault(
                await api.send("GET", "/mgmt/\(path)"), 401, "User does not have admin privileges.")
        }
    }

    @Test("accounts are projects with live instances")
    func accounts() async throws {
        try await withAPI { api in
            let (alice, bob) = (TestIdentity.projects["alice"] ?? "", TestIdentity.projects["bob"] ?? "")
            #expect(await api.send("GET", "/mgmt/accounts", as: "admin").json == ["accounts": []])
            let first = try await api.insertRunning("a0000000-0000-4000-8000-000000000001")
            let second = try await api.insertRunning("a0000000-0000-4000-8000-000000000002")
            try await api.insertRunning(of: "bob")
            let gone = try await api.insertRunning()
            let now = api.clock.now
            try await api.store.write(.relaxed) { try $0.instances.markDeleted(gone, now: now) }
            #expect(
                await api.send("GET", "/mgmt/accounts", as: "admin").json == [
                    "accounts": [
                        ["id": .string(alice), "num_instances": 2], ["id": .string(bob), "num_instances": 1],
                    ]
                ])
            #expect(
                await api.send("GET", "/mgmt/accounts/\(alice)", as: "admin").json
                    == ["account": ["id": .string(alice), "instance_ids": [.string(first), .string(second)]]])
            #expect(
                await api.send("GET", "/mgmt/accounts/none", as: "admin").json
                    == ["account": ["id": "none", "instance_ids": []]])
        }
    }

    @Test("hosts are those of live instances, and this one")
    func hosts() async throws {
        try await withAPI(Self.configuration(Self.facts)) { api in
            #expect(
                await api.send("GET", "/mgmt/hosts", as: "admin").json
                    == ["hosts": [["name": "h1", "instanceCount": 0]]])
            let id = try await api.insertRunning {
                $0.computeHost = "h1"
                $0.flavorID = "big"
            }
            try await api.insertRunning { $0.computeHost = "h0" }
            try await api.insertRunning()
            #expect(
                await api.send("GET", "/mgmt/hosts", as: "admin").json == [
                    "hosts": [["name": "h0", "instanceCount": 1], ["name": "h1", "instanceCount": 1]]
                ])
            let project = TestIdentity.projects["alice"] ?? ""
            #expect(
                await api.send("GET", "/mgmt/hosts/h1", as: "admin").json == [
                    "host": [
                        "name": "h1", "usedRAM": 2048, "totalRAM": 4096, "percentUsed": 50,
                        "instances": [
                            [
                                "id": .string(id), "server_id": .string("server-" + id), "name": "db",
                                "tenant_id": .string(project), "status": "ACTIVE",
                            ]
                        ],
                    ]
                ])
            // Nobody here knows another host's memory.
            let other = await api.send("GET", "/mgmt/hosts/h0", as: "admin").json["host"]
            #expect(other?["totalRAM"] == .null && other?["percentUsed"] == .null && other?["usedRAM"] == 512)
            expectFault(
                await api.send("GET", "/mgmt/hosts/h9", as: "admin"), 404, "Resource h9 cannot be found.")
        }
    }

    @Test("storage is where this host's volumes live")
    func storage() async throws {
        try await withAPI(Self.configuration(Self.facts)) { api in
            #expect(
                await api.send("GET", "/mgmt/storage", as: "admin").json == [
                    "devices": [
                        [
                            "name": "h1", "type": "local", "used": 25.0,
                            "capacity": ["total": 100.0, "available": 75.0],
                            "provision": ["total": 200.0, "available": 150.0, "percent": 25],
                        ]
                    ]
                ])
        }
        try await withAPI { api in
            #expect(await api.send("GET", "/mgmt/storage", as: "admin").json == ["devices": []])
        }
    }

    @Test("lists are one statement each")
    func statements() async throws {
        try await withAPI(Self.configuration(Self.facts)) { api in
            let store = try api.counting()
            let counted = api.with(store: store)
            for _ in 0..<10 { try await api.insertRunning { $0.computeHost = "h1" } }
            for path in ["accounts", "accounts/x", "hosts", "hosts/h1"] {
                #expect(await counted.send("GET", "/mgmt/\(path)", as: "admin").status == 200)
                #expect(store.take() == 1, "\(path)")
            }
        }
    }
}
