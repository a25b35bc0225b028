// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import StateStore
import TestSupport
import Testing

@Suite("Management: instances")
struct InstanceManagementTests {
    private func remove(_ id: String, _ api: APIFixture) async throws {
        let now = api.clock.now
        try await api.store.write(.relaxed) { transaction in
            try transaction.instances.setServer(id, serverID: nil, status: .shutdown, address: nil, now: now)
            try transaction.instances.markDeleted(id, now: now)
        }
    }

    private func ids(_ response: APIResponse) -> Set<String> {
        Set((response.json["instances"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue })
    }

    @Test(
        "others than administrators are refused, whatever they ask of whatever is there",
        arguments: [
            ("GET", "/mgmt/instances"), ("GET", "/mgmt/instances/ID"), ("GET", "/mgmt/instances/none"),
            ("GET", "/mgmt/instances/ID/root"), ("GET", "/mgmt/instances/ID/diagnostics"),
            ("GET", "/mgmt/instances/ID/hwinfo"), ("GET", "/mgmt/instances/ID/rpc_ping"),
            ("POST", "/mgmt/instances/ID/action"),
        ])
    func administratorsOnly(method: String, path: String) async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let path = path.replacing("ID", with: id)
            let response = await api.send(method, path, body: method == "POST" ? ["stop": [:]] : nil)
            expectFault(response, 401, "User does not have admin privileges.")
        }
    }

    @Test("the list has every project's instances, deleted ones too, and filters")
    func list() async throws {
        try await withAPI { api in
            let (alices, bobs) = (try await api.insertRunning(), try await api.insertRunning(of: "bob"))
            let gone = try await api.insertRunning()
            try await remove(gone, api)
            let project = TestIdentity.projects["alice"] ?? ""
            for (query, expected) in [
                ("", [alices, bobs, gone]), ("?deleted=false", [alices, bobs]), ("?deleted=True", [gone]),
                ("?project_id=\(project)", [alices, gone]), ("?project_id=\(project)&deleted=False", [alices]),
                ("?include_clustered=True", [alices, bobs, gone]), ("?project_id=nobody", []),
            ] as [(String, Set<String>)] {
                let response = await api.send("GET", "/mgmt/instances" + query, as: "admin")
                #expect(response.status == 200)
                #expect(ids(response) == expected, "\(query)")
            }
            for query in ["?deleted=maybe", "?limit=0", "?limit=x", "?marker=-1", "?include_clustered=7"] {
                #expect(await api.send("GET", "/mgmt/instances" + query, as: "admin").status == 400, "\(query)")
            }
        }
    }

    @Test("pages go by offset, the newest change first, and a full one names the next")
    func pages() async throws {
        try await withAPI { api in
            var made: [String] = []
            for number in 0..<5 {
                made.append(try await api.insertRunning(name: "db\(number)"))
                api.clock.advance(by: .seconds(1))
            }
            var seen: [String] = []
            var path: String? = "/mgmt/instances?limit=2"
            while let next = path {
                let response = await api.send("GET", next, as: "admin")
                let page = response.json["instances"]?.arrayValue ?? []
                seen += page.compactMap { $0["id"]?.stringValue }
                let link = response.json["links"]?[0]?["href"]?.stringValue
                path = link?.split(separator: "?").last.map { "/mgmt/instances?\($0)" }
                #expect((link == nil) == (page.count < 2))
            }
            #expect(seen == made.reversed())
        }
    }

    @Test("an item has what everyone sees and what administrators see beside it")
    func item() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning {
                $0.computeHost = "h1"
                $0.encryptedKey = "sealed"
            }
            let item = await api.send("GET", "/mgmt/instances", as: "admin").json["instances"]?[0]
            let project = TestIdentity.projects["alice"] ?? ""
            #expect(
                item?["server"] == [
                    "id": .string("server-" + id), "name": "db", "status": "ACTIVE", "tenant_id": .string(project),
                    "host": "h1",
                ])
            #expect(item?["service_status"] == "HEALTHY" && item?["tenant_id"] == .string(project))
            #expect(item?["deleted"] == false && item?["deleted_at"] == .null)
            #expect(item?["task_description"] == "No tasks for the instance." && item?["volume"] == ["size": 2])
            #expect(item?["encrypted_rpc_messaging"] == true && item?["volume_id"] == .null)
            #expect(item?["guest_status"] == nil && item?["root_enabled"] == nil)
        }
    }

    @Test("a silent guest is an error in the list and its last word in the show")
    func silence() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            api.clock.advance(by: .seconds(1000))
            let item = await api.send("GET", "/mgmt/instances", as: "admin").json["instances"]?[0]
            #expect(item?["operating_status"] == "ERROR" && item?["service_status"] == "ERROR")
            let shown = await api.send("GET", "/mgmt/instances/\(id)", as: "admin").json["instance"]
            #expect(shown?["operating_status"] == "HEALTHY" && shown?["service_status"] == "HEALTHY")
        }
    }

    @Test("the show adds addresses, volume, root and the guest's word")
    func show() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.volumeUsedBytes = 1 << 29 }
            let now = api.clock.now
            try await api.store.write(.relaxed) {
                try $0.rootHistory.record(instanceID: id, userID: "user-alice", now: now)
            }
            let shown = await api.send("GET", "/mgmt/instances/\(id)", as: "admin").json["instance"]
            #expect(shown?["server"]?["addresses"] == ["private": [["addr": "127.1.2.3", "version": 4]]])
            #expect(shown?["root_enabled"] == .string(now.text) && shown?["root_enabled_by"] == "user-alice")
            #expect(shown?["guest_status"] == ["state_description": "healthy"])
            #expect(
                shown?["volume"] == [
                    "attachments": [["server_id": .string("server-" + id)]], "availability_zone": "RegionOne",
                    "created_at": .string(now.text), "id": .null, "size": 2, "status": "in-use", "used": 0.5,
                    "total": 2.0,
                ])
            let bare = try await api.insertRunning {
                $0.volumeGiB = 0
                $0.serverID = nil
            }
            let other = await api.send("GET", "/mgmt/instances/\(bare)", as: "admin").json["instance"]
            #expect(other?["volume"] == .null && other?["server"] == .null)
        }
    }

    @Test("a deleted instance is shown to those who ask for it, as SHUTDOWN")
    func deleted() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            try await remove(id, api)
            expectFault(
                await api.send("GET", "/mgmt/instances/\(id)", as: "admin"), 404, "Resource \(id) cannot be found.")
            expectFault(
                await api.send("GET", "/mgmt/instances/none?deleted=true", as: "admin"), 404,
                "Resource none cannot be found.")
            let shown = await api.send("GET", "/mgmt/instances/\(id)?deleted=true", as: "admin").json["instance"]
            #expect(shown?["status"] == "SHUTDOWN" && shown?["operating_status"] == "")
            #expect(shown?["deleted"] == true && shown?["deleted_at"] == .string(api.clock.now.text))
            #expect(shown?["service_status"] == "DELETED" && shown?["volume"]?["status"] == "deleted")
            expectFault(
                await api.send("GET", "/instances/\(id)", as: "admin"), 404, "Resource \(id) cannot be found.")
        }
    }

    @Test("who enabled root, or nobody, never")
    func rootHistory() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let path = "/mgmt/instances/\(id)/root"
            #expect(
                await api.send("GET", path, as: "admin").json
                    == ["root_history": ["id": .string(id), "enabled": "Never", "user": "Nobody"]])
            let now = api.clock.now
            try await api.store.write(.relaxed) { try $0.rootHistory.record(instanceID: id, userID: "u", now: now) }
            #expect(
                await api.send("GET", path, as: "admin").json
                    == ["root_history": ["id": .string(id), "enabled": .string(now.text), "user": "u"]])
            expectFault(
                await api.send("GET", "/mgmt/instances/none/root", as: "admin"), 404, "Resource none cannot be found.")
        }
    }

    @Test("diagnostics, hardware and a ping come from the guest")
    func guest() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            api.bus.onCall { topic, method, _ throws(MessagingError) in
                guard topic == "guestagent.\(id)" else { throw MessagingError(.unavailable, "no such guest") }
                switch method {
                case "get_diagnostics":
                    return [
                        "version": "1", "threads": 2, "fd_size": 64, "vm_size": 5, "vm_peak": 6, "vm_rss": 3,
                        "vm_hwm": 4,
                    ]
                case "get_hwinfo": return ["mem_total": 524_288, "num_cpus": 1]
                default: return true
                }
            }
            let path = "/mgmt/instances/\(id)"
            #expect(
                await api.send("GET", path + "/diagnostics", as: "admin").json == [
                    "diagnostics": [
                        "version": "1", "threads": 2, "fdSize": 64, "vmSize": 5, "vmPeak": 6, "vmRss": 3, "vmHwm": 4,
                    ]
                ])
            #expect(
                await api.send("GET", path + "/hwinfo", as: "admin").json
                    == ["hwinfo": ["mem_total": 524_288, "num_cpus": 1]])
            let pong = await api.send("GET", path + "/rpc_ping", as: "admin")
            #expect(pong.status == 204 && pong.body.isEmpty)
        }
    }

    @Test("a guest that fails, or answers something else, is 400", arguments: ["diagnostics", "hwinfo", "rpc_ping"])
    func guestTrouble(what: String) async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let path = "/mgmt/instances/\(id)/\(what)"
            api.bus.onCall { _, _, _ throws(MessagingError) in ["threads": "many"] }
            let odd = await api.send("GET", path, as: "admin")
            #expect(odd.status == 400)
            #expect(odd.fault.message.hasPrefix("An error occurred communicating with the guest: "))
            api.bus.onCall { _, _, _ throws(MessagingError) in throw MessagingError(.timedOut, "late") }
            expectFault(
                await api.send("GET", path, as: "admin"), 400, "Timeout trying to connect to the Guest Agent.")
            expectFault(
                await api.send("GET", "/mgmt/instances/none/\(what)", as: "admin"), 404,
                "Resource none cannot be found.")
        }
    }

    @Test("the inherited routes are the user's own, with the user's rights")
    func inherited() async throws {
        try await withAPI { api in
            let body: JSONValue = ["instance": ["name": "made", "flavorRef": "1", "volume": ["size": 1]]]
            let made = await api.send("POST", "/mgmt/instances", body: body)
            #expect(made.status == 200 && made.json["instance"]?["status"] == "BUILD")
            let id = try await api.insertRunning()
            let named: JSONValue = ["instance": ["name": "renamed"]]
            #expect(await api.send("PUT", "/mgmt/instances/\(id)", as: "bob", body: named).status == 404)
            #expect(await api.send("PUT", "/mgmt/instances/\(id)", body: named).status == 202)
            #expect(await api.send("PATCH", "/mgmt/instances/\(id)", as: "admin", body: named).status == 202)
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["name"] == "renamed")
            #expect(await api.send("DELETE", "/mgmt/instances/\(id)").status == 202)
        }
    }

    @Test("the list and a show are one statement each")
    func statements() async throws {
        try await withAPI { api in
            let store = try api.counting()
            let counted = api.with(store: store)
            for _ in 0..<30 { try await api.insertRunning() }
            let id = try await api.insertRunning()
            for path in [
                "/mgmt/instances", "/mgmt/instances?limit=30&marker=1", "/mgmt/instances?deleted=false",
                "/mgmt/instances/\(id)", "/mgmt/instances/\(id)/root",
            ] {
                #expect(await counted.send("GET", path, as: "admin").status == 200, "\(path)")
                #expect(store.take() == 1, "\(path)")
            }
        }
    }
}
