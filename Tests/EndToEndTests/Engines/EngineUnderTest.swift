// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A datastore, its plugins, and what its answer to each verb must be.
struct EngineUnderTest: Sendable {
    let datastore: String
    let version: String
    /// Folders of the plugins, as they are built: the datastore strategy, and the backup strategy if there is one.
    let plugin: String
    let backupPlugin: String?
    /// File that enables the datastore.
    let file: String
    /// What a tenant's data goes through; nil where the engine keeps none.
    let client: (any EngineClient)?
    /// The verbs that the client is refused, and the status of that answer. All others work.
    let refused: [EngineVerb: Int]
    /// Databases that a tenant finds in a new instance.
    var ownDatabases: [String] = []

    /// Folders of its plugins.
    var plugins: [String] { [plugin] + (backupPlugin.map { [$0] } ?? []) }

    func has(_ verb: EngineVerb) -> Bool { refused[verb] == nil }

    private var isExample: Bool { !plugin.hasPrefix(Build.folder + "/plugins/") }

    /// Builds the plugin when it is one that a build does not make.
    func build() async throws {
        guard isExample else { return }
        let configuration = Build.folder.hasSuffix("/release") ? "release" : "debug"
        let built = try await Command.run(["\(Build.root)/Plugins/Examples/build.sh", configuration], seconds: 280)
        guard built.status == 0 else { throw TestFailure("the examples do not build: \(built.errors)") }
    }

    /// Puts the datastore, and no other, into the home's configuration; a plugin that does not come with the build also
    /// into the home's plugins.
    func enable(in plane: ControlPlane) throws {
        let name = URL(fileURLWithPath: file).lastPathComponent
        try plane.configure("datastores/\(name)", String(contentsOfFile: file, encoding: .utf8))
        guard isExample else { return }
        let folder = plane.home + "/plugins"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: plugin, toPath: "\(folder)/\(datastore)")
    }
}

extension EngineUnderTest {
    static let all = [mariadb, postgresql, redis, memcached]

    static let mariadb = EngineUnderTest(
        datastore: "mariadb", version: "10.11", plugin: Build.folder + "/plugins/mariadb",
        backupPlugin: Build.folder + "/plugins/mariabackup", file: Build.root + "/Config/datastores/mariadb.yaml",
        client: MariaDBClient(), refused: [:])

    static let postgresql = EngineUnderTest(
        datastore: "postgresql", version: "15", plugin: Build.folder + "/plugins/postgresql",
        backupPlugin: Build.folder + "/plugins/pgbasebackup",
        file: Build.root + "/Config/datastores/postgresql.yaml", client: PostgreSQLClient(),
        // Where a user may come from is not part of an account.
        refused: [.userCreateOfHost: 400])

    static let redis = EngineUnderTest(
        datastore: "redis", version: "7.0", plugin: Build.folder + "/plugins/redis",
        backupPlugin: Build.folder + "/plugins/redisrdb", file: Build.root + "/Config/datastores/redis.yaml",
        client: RedisClient(),
        // Databases have numbers and are always there; a user reaches all of them, from everywhere.
        refused: [
            .instanceCreateWithDatabases: 400, .databaseCreate: 501, .databaseDelete: 501, .userCreateOfHost: 400,
            .grantAccess: 501, .revokeAccess: 501,
        ],
        ownDatabases: (0..<16).map(String.init).sorted())

    /// A cache: no databases, no users, nothing on disk.
    static let memcached = EngineUnderTest(
        datastore: "memcached", version: "1.6", plugin: Build.folder + "/examples/memcached", backupPlugin: nil,
        file: Build.root + "/Plugins/Examples/Memcached/memcached.yaml", client: nil,
        refused: [
            .instanceCreateWithDatabases: 400, .instanceCreateWithUsers: 400, .databaseCreate: 501,
            .databaseList: 501, .databaseDelete: 501, .userCreate: 501, .userCreateOfHost: 501, .userList: 501,
            .userShow: 501, .userRename: 501, .userPassword: 501, .userDelete: 501, .grantAccess: 501,
            .showAccess: 501, .revokeAccess: 501, .rootEnable: 501, .rootDisable: 501, .backupCreate: 501,
        ])
}
