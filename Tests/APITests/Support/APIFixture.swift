// SPDX-License-Identifier: Apache-2.0

import API
import Calls
import Identity
import KeyManager
import Logging
import Messaging
import Model
import StateStore
import TestSupport
import Testing

/// The API over a real state store, in a temporary directory unless a test says otherwise.
struct APIFixture: Sendable {
    let store: any StateStore
    let plugins = TestPlugins()
    let bus = TestBus()
    let clock: TestClock
    let services: APIServices
    let responder: APIResponder

    static let datastoreID = "d0000000-0000-4000-8000-000000000001"
    static let versionID = "e0000000-0000-4000-8000-000000000001"
    static let inactiveID = "e0000000-0000-4000-8000-000000000002"
    static let orphanID = "e0000000-0000-4000-8000-000000000003"
    static let otherVersionID = "e0000000-0000-4000-8000-000000000004"

    /// - Parameter bus: In place of `bus`, which answers as a test says.
    init(path: String, configuration: APIConfiguration, bus other: (any RPCClient)? = nil) throws {
        let clock = TestClock()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        self.init(
            store: try SQLiteStateStore(path: path + "/trove.db", clock: clock, logger: logger),
            configuration: configuration, clock: clock, bus: other)
    }

    /// One API process over a store that others may share.
    init(
        store: any StateStore, configuration: APIConfiguration, clock: TestClock, bus other: (any RPCClient)? = nil
    ) {
        let bus = other ?? bus
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        self.store = store
        self.clock = clock
        services = APIServices(
            configuration: configuration, store: store, identity: TestIdentity(), plugins: plugins,
            guests: GuestClient(bus), taskManager: TaskManagerClient(bus), clock: clock,
            random: SystemRandomSource(), sealed: TestSealedBackups(), keyManager: Self.keyManager, logger: logger
        )
        responder = APIResponder(services)
    }

    /// The same API over another store, or with another identity service.
    func with(store other: (any StateStore)? = nil, identity: (any IdentityService)? = nil) -> APIFixture {
        APIFixture(
            store: store, clock: clock,
            services: APIServices(
                configuration: services.configuration, store: other ?? services.store,
                identity: identity ?? services.identity, plugins: plugins, guests: services.guests,
                taskManager: services.taskManager, clock: clock, random: services.random,
                keyManager: services.keyManager, logger: services.logger
            )
        )
    }

    /// The same API with these certificate containers.
    func with(certificates: any CertificateContainers) -> APIFixture {
        APIFixture(
            store: store, clock: clock,
            services: APIServices(
                configuration: services.configuration, store: services.store, identity: services.identity,
                plugins: plugins, guests: services.guests, taskManager: services.taskManager, clock: clock,
                random: services.random, certificates: certificates, logger: services.logger
            )
        )
    }

    private init(store: any StateStore, clock: TestClock, services: APIServices) {
        self.store = store
        self.clock = clock
        self.services = services
        responder = APIResponder(services)
    }

    /// With a small limit, and one key for all tests.
    private static let keyManager = (try? PassphraseSeal(passphrase: Secret("test"))).map {
        KeyManagement(seal: $0, projectLimit: 20)
    }

    static var configuration: APIConfiguration {
        APIConfiguration(
            flavors: [
                Flavor(id: "1", name: "small", ramMiB: 512, vcpus: 1),
                Flavor(id: "big", name: "big", ramMiB: 2048, vcpus: 2),
                Flavor(id: "tiny", name: "tiny", ramMiB: 128, vcpus: 1),
            ],
            defaultDatastore: "mariadb"
        )
    }

    /// Two datastores: one with an active, an inactive and a plugin-less version, another with one version.
    func seed() async throws {
        try await store.write(.relaxed) { transaction in
            let plugins: JSONValue = ["datastore": .string(TestPlugins.engine), "backup": "org.example.backup"]
            let rows = [
                (Self.versionID, "11.4", true, plugins), (Self.inactiveID, "10.0", false, plugins),
                (Self.orphanID, "12.0", true, ["datastore": "org.example.absent"] as JSONValue),
            ]
            try transaction.datastores.upsert(
                DatastoreRecord(id: Self.datastoreID, name: "mariadb", defaultVersionID: nil))
            for (id, name, isActive, plugins) in rows {
                try transaction.datastores.upsert(
                    DatastoreVersionRecord(
                        id: id, datastoreID: Self.datastoreID, name: name, number: name + ".1", isActive: isActive,
                        packages: ["a", "b"], plugins: plugins
                    )
                )
            }
            try transaction.datastores.upsert(
                DatastoreRecord(id: Self.datastoreID, name: "mariadb", defaultVersionID: Self.versionID))
            let other = "d0000000-0000-4000-8000-000000000002"
            try transaction.datastores.upsert(DatastoreRecord(id: other, name: "other", defaultVersionID: nil))
            try transaction.datastores.upsert(
                DatastoreVersionRecord(
                    id: Self.otherVersionID, datastoreID: other, name: "1", number: "1", isActive: true, packages: [],
                    plugins: ["datastore": .string(TestPlugins.engine)]
                )
            )
        }
    }

    /// Inserts an instance that runs, with an address.
    @discardableResult
    func insertRunning(
        _ id: String = SystemRandomSource().uuid(), of token: String = "alice", name: String = "db",
        version: String = versionID, change: @Sendable @escaping (inout InstanceRecord) -> Void = { _ in }
    ) async throws -> String {
        var record = InstanceRecord(
            id: id, name: name, projectID: TestIdentity.projects[token] ?? "", flavorID: "1", volumeGiB: 2,
            datastoreVersionID: version, created: clock.now, task: .none, service: .healthy, serverStatus: .active,
            region: "RegionOne"
        )
        record.serverID = "server-" + id
        record.address = "127.1.2.3"
        change(&record)
        try await store.write(.relaxed) { [record] in try $0.instances.insert(record) }
        return id
    }

    func insertBackup(
        _ id: String = SystemRandomSource().uuid(), of token: String = "alice", instance: String?,
        state: BackupState = .completed, parent: String? = nil, sizeBytes: Int64? = 1 << 30,
        change: @Sendable (inout BackupRecord) -> Void = { _ in }
    ) async throws -> String {
        var record = BackupRecord(
            id: id, name: "backup", description: nil, projectID: TestIdentity.projects[token] ?? "",
            instanceID: instance, parentID: parent, state: state, backupType: "org.example.backup",
            datastoreVersionID: Self.versionID, created: clock.now
        )
        record.sizeBytes = sizeBytes
        change(&record)
        try await store.write(.relaxed) { [record] in try $0.backups.insert(record) }
        return id
    }

    /// How many live instances and unfinished journal rows there are.
    func count() async throws -> (instances: Int, journal: Int) {
        try await store.read { transaction in
            (try transaction.instances.all().count, try transaction.journal.live(resourceID: nil).count)
        }
    }

    /// Sends a request below `/v1.0/{the token's project}`.
    func send(
        _ method: String, _ path: String, as token: String = "alice", body: JSONValue? = nil,
        headers: [(name: String, value: String)] = []
    ) async -> APIResponse {
        await sendText(method, path, as: token, text: body.map(\.text), headers: headers)
    }

    func sendText(
        _ method: String, _ path: String, as token: String = "alice", text: String?,
        headers: [(name: String, value: String)] = []
    ) async -> APIResponse {
        var all = headers + [("x-auth-token", token)]
        if text != nil, !headers.contains(where: { $0.name == "content-type" }) {
            all.append(("content-type", "application/json"))
        }
        return await raw(
            method, "/v1.0/\(TestIdentity.projects[token] ?? "none")\(path)", headers: all, text: text
        )
    }

    func raw(
        _ method: String, _ target: String, headers: [(name: String, value: String)] = [], text: String? = nil
    ) async -> APIResponse {
        await responder.respond(
            to: APIRequest(
                method: method, target: target, headers: headers, host: "127.0.0.1:8779",
                body: text.map { .bytes(Array($0.utf8)) } ?? .none
            )
        )
    }
}

/// Runs `body` with two API processes over one seeded database.
func withTwoAPIs(
    _ state: SharedState, _ configuration: APIConfiguration = APIFixture.configuration,
    _ body: (APIFixture, APIFixture) async throws -> Void
) async throws {
    let clock = TestClock()
    try await state.withTwo(clock: clock) { first, second in
        let apis = [first, second].map { APIFixture(store: $0, configuration: configuration, clock: clock) }
        try await apis[0].seed()
        try await body(apis[0], apis[1])
    }
}

/// Runs `body` with a seeded API.
func withAPI(
    _ configuration: APIConfiguration = APIFixture.configuration, _ body: (APIFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { path in
        let api = try APIFixture(path: path, configuration: configuration)
        try await api.seed()
        try await body(api)
        await api.store.close()
    }
}

extension APIResponse {
    /// The body as JSON; null when it is empty.
    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }

    /// Key and message of a fault.
    var fault: (key: String, message: String) {
        guard let (key, value) = json.objectValue?.first else { return ("", "") }
        return (key, value["message"]?.stringValue ?? "")
    }
}

/// Expects a fault with status, its key, and a message.
func expectFault(
    _ response: APIResponse, _ status: Int, _ message: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(response.status == status, sourceLocation: sourceLocation)
    #expect(response.fault.message == message, sourceLocation: sourceLocation)
    #expect(response.fault.key == APIFault.keys[status], sourceLocation: sourceLocation)
    let code = response.json.objectValue?.values.first?["code"]
    #expect(code == .int(Int64(status)), sourceLocation: sourceLocation)
}
