// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Testing
import TrovePluginKit

@Suite("The plugins' images")
struct ImageTests {
    static let products = [
        "TroveMariaDB", "TroveMariaBackup", "TrovePostgreSQL", "TrovePgBaseBackup", "TroveRedis", "TroveRedisRDB",
        "TroveSQLAdmin",
    ]

    static func image(_ product: String) throws -> PluginImage {
        switch product {
        case "TroveMariaDB": try PluginImage.mariaDB.get()
        case "TroveMariaBackup": try PluginImage.mariaBackup.get()
        case "TrovePostgreSQL": try PluginImage.postgreSQL.get()
        case "TrovePgBaseBackup": try PluginImage.pgBaseBackup.get()
        case "TroveRedis": try PluginImage.redis.get()
        case "TroveRedisRDB": try PluginImage.redisRDB.get()
        default: try PluginImage.sqlAdmin.get()
        }
    }

    @Test(
        "an image exports the entry alone", .enabled(if: access("/usr/bin/nm", X_OK) == 0), arguments: products)
    func symbols(_ product: String) throws {
        let run = try ChildRun([
            "argv": [
                "/usr/bin/nm", "-D", "--defined-only", "--extern-only", "--format=posix",
                try PluginImage.path(of: product),
            ].json, "as": "agent",
        ])
        let output = try run.finish(input: -1, output: -1).text("stdout")
        #expect(output.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["trove_plugin_entry"])
    }

    @Test("an image says what its manifest says, and refuses another major version", arguments: products)
    func identity(_ product: String) throws {
        let image = try Self.image(product)
        let folder = [
            "TroveMariaDB": "Datastores/MariaDB", "TroveMariaBackup": "Backups/MariaBackup",
            "TrovePostgreSQL": "Datastores/PostgreSQL", "TrovePgBaseBackup": "Backups/PgBaseBackup",
            "TroveRedis": "Datastores/Redis", "TroveRedisRDB": "Backups/RedisRDB",
        ][product]
        let source = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
        let text = try PluginFiles.read("\(source)/Plugins/\(folder ?? "Extensions/SQLAdmin")/plugin.json")
        let manifest = try JSON(parsing: text ?? "")
        #expect(image.table.pointee.magic == TROVE_MAGIC)
        #expect(image.table.pointee.size == UInt32(MemoryLayout<trove_plugin_1>.size))
        #expect(try manifest.text("id") == String(cString: image.table.pointee.id))
        #expect(try manifest.text("version") == String(cString: image.table.pointee.version))
        for id in try manifest.list("provides").compactMap(\.stringValue) {
            #expect(try image.table(id, UInt32.self) > 8)
        }
        #expect(image.table.pointee.get_extension("trove.unknown/1") == nil)
        #expect(image.entry(2, 0) == nil)
        #expect(image.entry(1, 7) == image.table)
    }

    @Test("a request that is no JSON is the caller's fault")
    func badRequest() throws {
        let table = try PluginImage.mariaDB.get().table(TROVE_EXT_DATASTORE_POLICY, trove_datastore_policy_1.self)
        do {
            _ = try "{".lent { text in try TestCall().run { token, _ in table.requirements(token, text) } }
            Issue.record("it was taken")
        } catch let failure as CallFailure {
            #expect(failure.status == 1)
            #expect(failure.message.contains("byte 1"))
        }
    }
}
