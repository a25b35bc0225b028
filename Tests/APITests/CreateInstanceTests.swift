// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost
import StateStore
import Testing

@Suite("Instances: create")
struct CreateInstanceTests {
    static func body(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var instance: [String: JSONValue] = ["name": "db", "flavorRef": "1", "volume": ["size": 1]]
        for (name, value) in changes { instance[name] = value }
        return ["instance": .object(instance)]
    }

    @Test("'flavor' is taken for 'flavorRef' where that is missing, as one of the public clients sends it")
    func otherNameOfFlavor() async throws {
        try await withAPI { api in
            let made = await api.send(
                "POST", "/instances", body: Self.body(["flavorRef": nil, "flavor": "1"]))
            #expect(made.status == 200 && made.json["instance"]?["flavor"]?["id"] == "1")
            let odd = Self.body(["flavorRef": nil, "flavor": ["id": "1"]])
            let refused = await api.send("POST", "/instances", body: odd)
            #expect(refused.status == 400)
        }
    }

    @Test("one request writes row and journal, wakes the task manager, and answers with the instance in BUILD")
    func creates() async throws {
        try await withAPI { api in
            let body = Self.body([
                "databases": [["name": "shop", "character_set": "utf8mb4"]],
                "users": [["name": "bob", "password": "secret1", "databases": [["name": "shop"]]]],
                "access": ["is_public": false], "nics": [], "configuration": .some(.null), "unknown": 1,
                "flavorRef": "http://127.0.0.1:8779/v1.0/x/flavors/1", "region_name": "RegionOne",
                "availability_zone": "RegionOne", "modules": [], "replica_count": 1,
            ])
            let response = await api.send("POST", "/instances", body: body)
            #expect(response.status == 200)
            let instance = response.json["instance"]
            #expect(
                Set((instance?.objectValue ?? [:]).keys) == [
                    "id", "name", "status", "operating_status", "links", "flavor", "datastore", "region", "access",
                    "volume", "created", "updated", "service_status_updated",
                ]
            )
            #expect(instance?["status"] == "BUILD")
            #expect(instance?["operating_status"] == "")
            #expect(instance?["access"] == ["is_public": false])
            #expect(instance?["datastore"] == ["type": "mariadb", "version": "11.4", "version_number": "11.4.1"])
            let id = try #require(instance?["id"]?.stringValue)
            let (record, journal) = try await api.store.read { transaction in
                (try transaction.instances.find(id), try transaction.journal.live(resourceID: id))
            }
            #expect(record?.task == .building)
            #expect(record?.service == .new)
            #expect(
                record?.plugins == ["datastore": "org.example.engine@2.1.0", "backup": "org.example.backup"])
            #expect(journal.map(\.flow) == [FlowName.createInstance.rawValue])
            #expect(journal.first?.userID == "user-alice")
            #expect(
                journal.first?.input == [
                    "instance_id": .string(id), "databases": [["name": "shop", "character_set": "utf8mb4"]],
                    "users": [["name": "bob", "password": "secret1", "databases": [["name": "shop"]]]],
                    "backup_id": .null,
                ]
            )
            #expect(api.bus.casts == ["wake"])
            #expect(await api.send("GET", "/instances/\(id)").json["instance"]?["status"] == "BUILD")
        }
    }

    @Test("why an instance gets no replica, in the contract's order")
    func replicas() async throws {
        try await withAPI { api in
            let (id, bobs) = (try await api.insertRunning(), try await api.insertRunning(of: "bob"))
            let busy = try await api.insertRunning { $0.task = .resizing }
            func replica(_ source: String, _ more: [String: JSONValue] = [:]) async -> APIResponse {
                let body = ["name": "r", "replica_of": .string(source)].merging(more) { _, new in new }
                return await api.send("POST", "/instances", body: ["instance": .object(body)])
            }
            let users: JSONValue = [["name": "a", "password": "b"]]
            expectFault(await replica(bobs, ["users": users]), 404, "Resource \(bobs) cannot be found.")
            expectFault(
                await replica(busy, ["users": users]), 400, "Cannot create a replica with users or databases.")
            let address: JSONValue = [["subnet_id": Self.uuid, "ip_address": "10.0.0.9"]]
            expectFault(
                await replica(busy, ["nics": address]), 400, "Cannot specify IP address when creating replicas.")
            expectFault(
                await replica(busy), 422,
                "Instance \(busy) is not currently available for an action to be performed (task status was RESIZING).")
            expectFault(
                await replica(id, ["replica_count": 2]), 400,
                "Replication is not supported for the 'mariadb' datastore.")
        }
    }

    private static let uuid: JSONValue = "aaaaaaaa-0000-4000-8000-000000000001"

    @Test(
        "what does not fit is refused with the contract's sentence",
        arguments: [
            (["volume": ["size": 11]], 413, "Volume 'size' cannot exceed maximum of 10 GB, 11 cannot be accepted."),
            (["volume": nil], 400, "Volume size was not specified."),
            (
                ["volume": ["size": 1, "type": "fast"]], 400,
                "Volume type 'fast' is not available: volumes have no types here."
            ),
            (["volume": ["size": "99999999999999999999"]], 400, "Volume 'size' is out of range."),
            (["flavorRef": "nope"], 400, "Resource nope cannot be found."),
            (["flavorRef": nil], 400, "Validation error: instance 'flavorRef' is a required property"),
            (["datastore": ["type": "nope"]], 404, "Datastore 'nope' cannot be found."),
            (["datastore": ["type": "mariadb", "version": "9"]], 400, "Datastore version '9' cannot be found."),
            (["datastore": ["type": "mariadb", "version": "10.0"]], 400, "Datastore version '10.0' is not active."),
            (
                ["datastore": ["type": "mariadb", "version": .string(APIFixture.otherVersionID)]], 404,
                "DBDatastoreVersion Not Found"
            ),
            (
                ["datastore": ["type": "other"]], 400,
                "Please specify datastore version. Default version for datastore 'other' not found."
            ),
            (
                ["datastore": ["type": "mariadb", "version": "12.0"]], 503,
                "Datastore version '12.0' needs the plugin 'org.example.absent', which is not loaded."
            ),
            (
                ["replica_of": uuid], 400, "Cannot specify flavor when creating replicas."
            ),
            (
                ["replica_of": uuid, "flavorRef": nil], 400, "Cannot specify volume when creating replicas."
            ),
            (
                ["replica_of": uuid, "flavorRef": nil, "volume": nil], 404,
                "Resource aaaaaaaa-0000-4000-8000-000000000001 cannot be found."
            ),
            (
                ["replica_count": 2], 400,
                "Replica count only valid when creating replicas. Cannot create 2 instances."
            ),
            (
                ["locality": "near"], 400,
                "Invalid locality 'near'. Must be one of ['affinity', 'soft-affinity', 'anti-affinity', 'soft-anti-affinity']"
            ),
            (["locality": "affinity"], 501, "Server groups ('locality') are not supported."),
            (["nics": [[:]]], 400, "Instance network or subnet needs to be specified."),
            (
                ["nics": [["net-id": uuid]]], 501,
                "Choosing networks ('nics') is not supported: instances have one address each."
            ),
            (
                ["modules": [["id": uuid]]], 404,
                "Module with ID aaaaaaaa-0000-4000-8000-000000000001 could not be found."
            ),
            (["access": ["is_public": true]], 501, "Public addresses ('access.is_public') are not supported."),
            (
                ["access": ["allowed_cidrs": ["999.0.0.0/8"]]], 400,
                "'999.0.0.0/8' of 'access.allowed_cidrs' is not an IPv4 network, such as 10.0.0.0/8."
            ),
            (["region_name": "Mars"], 400, "Unknown region_name 'Mars': the only one of this service is 'RegionOne'."),
            (
                ["databases": [["name": "a"], ["name": "a"]]], 400,
                "Two or more databases share the same name in the initial databases list. Please correct the names"
                    + " or remove the duplicate entries."
            ),
            (
                ["users": [["name": "a", "password": "x"], ["name": "a", "password": "y", "host": "%"]]], 400,
                "Two or more users share the same name and host in the initial users list. Please correct the names"
                    + " or remove the duplicate entries."
            ),
            (
                ["users": [["name": "a", "password": "x", "databases": [["name": "z"]]]]], 400,
                "The request indicates that user a should have access to database z, but database z is not included in"
                    + " the initial databases list."
            ),
            (
                ["flavorRef": "tiny"], 400,
                "Flavor tiny is not supported for datastore version \(APIFixture.versionID): it needs 256 MB of memory,"
                    + " the flavor has 128."
            ),
            (["name": "---"], 400, "Validation error: instance['name'] '---' does not match '^.*[0-9a-zA-Z]+.*$'"),
            (
                ["volume": ["size": 0]], 400,
                "Validation error: instance['volume']['size'] 0 is not valid under any of the given schemas; 0 is less"
                    + " than the minimum of 1; 0 is not of type 'string'"
            ),
            (
                ["restorePoint": ["backupRef": uuid]], 404,
                "Resource aaaaaaaa-0000-4000-8000-000000000001 cannot be found."
            ),
        ] as [([String: JSONValue?], Int, String)]
    )
    func refuses(_ changes: [String: JSONValue?], _ status: Int, _ message: String) async throws {
        try await withAPI { api in
            expectFault(await api.send("POST", "/instances", body: Self.body(changes)), status, message)
            let counts = try await api.count()
            #expect(counts == (0, 0))
            #expect(api.bus.casts.isEmpty)
        }
    }

    @Test("an empty object is 400 where the reference crashed")
    func emptyObject() async throws {
        try await withAPI { api in
            expectFault(
                await api.send("POST", "/instances", body: [:]), 400,
                "Validation error: 'instance' is a required property")
        }
    }

    @Test("without a default datastore one must be named; without volume support none may have a size")
    func configuration() async throws {
        var configuration = APIFixture.configuration
        configuration.defaultDatastore = nil
        configuration.hasVolumeSupport = false
        try await withAPI(configuration) { api in
            expectFault(
                await api.send("POST", "/instances", body: Self.body()), 400,
                "Please specify datastore. No default datastore is defined.")
            expectFault(
                await api.send("POST", "/instances", body: Self.body(["datastore": ["type": "mariadb"]])), 501,
                "Volume support is not enabled.")
            let body = Self.body(["datastore": ["type": "mariadb"], "volume": nil])
            let response = await api.send("POST", "/instances", body: body)
            #expect(response.status == 200)
            #expect(response.json["instance"]?["volume"] == nil)
        }
    }

    @Test("the policy's refusal is the tenant's 400; its crash names the plugin and costs nothing")
    func policy() async throws {
        try await withAPI { api in
            api.plugins.onPolicy { function, request throws(PluginError) in
                guard function == .validateCreate else { return [:] }
                #expect(request["memory_mb"] == 512)
                #expect(request["volume_gib"] == 1)
                throw PluginError(.invalidArgument, pluginID: "org.example.engine", "Name 'sys' is reserved.")
            }
            expectFault(await api.send("POST", "/instances", body: Self.body()), 400, "Name 'sys' is reserved.")
            api.plugins.onPolicy { _, _ throws(PluginError) in
                throw PluginError(.crashed, pluginID: "org.example.engine", "signal 11")
            }
            let crashed = await api.send("POST", "/instances", body: Self.body())
            #expect(crashed.status == 500)
            #expect(crashed.fault.key == "serverError")
            #expect(crashed.fault.message.contains("org.example.engine"))
            #expect(crashed.fault.message.contains("try again"))
            api.plugins.onPolicy { function, _ throws(PluginError) in ["volume": ["minimum_gib": 3]] }
            expectFault(
                await api.send("POST", "/instances", body: Self.body()), 400,
                "Volume 'size' must be at least 3 GB for datastore version '11.4'.")
            let counts = try await api.count()
            #expect(counts == (0, 0))
        }
    }

    @Test("50 requests at once against a quota of 10 make 10 instances")
    func quotaRace() async throws {
        try await withAPI { api in
            let statuses = await withTaskGroup(of: (Int, String).self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        let response = await api.send("POST", "/instances", body: Self.body())
                        return (response.status, response.fault.message)
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0.0 == 200 }.count == 10)
            let refused = statuses.filter { $0.0 == 413 }
            #expect(refused.count == 40)
            #expect(refused.allSatisfy { $0.1 == "Quota exceeded for resources: ['instances']." })
            let counts = try await api.count()
            #expect(counts == (10, 10))
        }
    }

    @Test("exceeded quotas are listed in order; stored limits win over defaults")
    func quotas() async throws {
        try await withAPI { api in
            let project = TestIdentity.projects["alice"] ?? ""
            try await api.store.write(.relaxed) { transaction in
                for (resource, limit) in [("instances", 0), ("ram", 100), ("volumes", 0)] {
                    try transaction.quotas.setLimit(projectID: project, resource: resource, limit: limit)
                }
            }
            expectFault(
                await api.send("POST", "/instances", body: Self.body()), 413,
                "Quota exceeded for resources: ['instances', 'ram', 'volumes'].")
            #expect(await api.send("POST", "/instances", as: "bob", body: Self.body()).status == 200)
        }
    }

    @Test("a restore needs a completed backup of the own project that fits")
    func restore() async throws {
        try await withAPI { api in
            let source = try await api.insertRunning()
            let good = try await api.insertBackup(instance: source)
            let running = try await api.insertBackup(instance: source, state: .building)
            let large = try await api.insertBackup(instance: source, sizeBytes: 5 << 30)
            let foreign = try await api.insertBackup(of: "bob", instance: nil)
            func create(_ id: String, _ more: [String: JSONValue?] = [:]) async -> APIResponse {
                let body = Self.body(["restorePoint": ["backupRef": .string(id)]].merging(more) { _, new in new })
                return await api.send("POST", "/instances", body: body)
            }
            expectFault(
                await create(running), 409,
                "Unable to create instance because backup \(running) is not completed. Actual state: BUILDING.")
            expectFault(
                await create(large), 403,
                "Backup is too large for given flavor or volume. Backup size: 5.0 GBs. Available size: 1 GBs.")
            expectFault(await create(foreign), 404, "Resource \(foreign) cannot be found.")
            expectFault(
                await create(good, ["datastore": ["type": "other", "version": "1"]]), 400,
                "The datastore from which the backup was taken, mariadb, does not match the destination datastore of"
                    + " other.")
            let response = await create(good)
            #expect(response.status == 200)
            let id = response.json["instance"]?["id"]?.stringValue ?? ""
            let journal = try await api.store.read { try $0.journal.live(resourceID: id) }
            #expect(journal.first?.input["backup_id"] == .string(good))
        }
    }
}
