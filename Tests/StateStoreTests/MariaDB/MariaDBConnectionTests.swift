// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Model
import TestSupport
import Testing

@testable import StateStore

@Suite("Connections to a database server")
struct MariaDBConnectionTests {
    private func opening(_ configuration: StateStoreConfiguration) async throws -> StateStoreError? {
        do {
            await (try await StateStoreFactory.open(configuration, logger: TestDatabase.silent)).close()
            return nil
        } catch {
            return error
        }
    }

    @Test("there are never more connections than the pool may have, and whoever finds it busy waits his turn")
    func bounds() async throws {
        try await TestDatabase.with { database in
            let store = try database.open(poolSize: 3)
            let running = Locked((now: 0, most: 0))
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await store.read { transaction in
                            running.withLock { running in
                                running.now += 1
                                running.most = max(running.most, running.now)
                            }
                            defer { running.withLock { $0.now -= 1 } }
                            _ = try transaction.datastores.all()
                            return 1
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(total == 100)
            #expect(running.withLock { $0.most } <= 3)
            let connections = try database.administrator().query(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '\(database.name)'", []
            ) { $0.int(0) }
            #expect((1...3).contains(try #require(connections.first)))
            await store.close()
        }
    }

    @Test("when too many wait, the next ones are told at once", .timeLimit(.minutes(1)))
    func full() async throws {
        try await TestDatabase.with { database in
            let store = try database.open(poolSize: 1)
            let (entered, entry) = AsyncStream<Void>.makeStream()
            let release = DispatchSemaphore(value: 0)
            async let held: Void = store.read { _ in
                entry.yield()
                #expect(release.wait(timeout: .now() + 5) == .success)
            }
            for await _ in entered { break }
            let outcomes = await withTaskGroup(of: StateStoreError.Code?.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        do {
                            _ = try await store.read { try $0.datastores.all().count }
                            return nil
                        } catch {
                            return (error as? StateStoreError)?.code
                        }
                    }
                }
                var codes: [StateStoreError.Code?] = []
                for await code in group {
                    codes.append(code)
                    if codes.count == 72 { release.signal() }
                }
                return codes
            }
            try await held
            #expect(outcomes.count(where: { $0 == .busy }) == 72)
            #expect(outcomes.count(where: { $0 == nil }) == 128)
            await store.close()
        }
    }

    @Test("a wrong password is told without the password")
    func wrongPassword() async throws {
        let database = try await TestDatabase.new()
        var configuration = try database.configuration
        configuration.password = Secret("hunter2-hunter2")
        let error = try #require(try await opening(configuration))
        #expect(error.code == .unavailable)
        #expect(error.message.contains("password of the user is wrong"))
        #expect(error.message.contains(database.name))
        #expect(!"\(error)".contains("hunter2"))
        #expect(!String(reflecting: error).contains("hunter2"))
    }

    @Test("a database that is not there, a host that does not answer and one without a name are told by host")
    func unreachable() async throws {
        let database = try await TestDatabase.new()
        var configuration = try database.configuration
        let port = try database.nodes.port("mariadb", "port")
        configuration.url = "mariadb://trove@127.0.0.1:\(port)/trove_nothing"
        #expect(
            try await opening(configuration)?.message.contains("127.0.0.1:\(port): there is no such database") == true)
        configuration.url = "mariadb://trove@127.0.0.1:1,no-such-host.invalid:2/trove"
        let error = try #require(try await opening(configuration))
        #expect(error.code == .unavailable)
        #expect(error.isRetryable)
        #expect(error.message.contains("127.0.0.1:1: ") && error.message.contains("no-such-host.invalid:2: "))
    }

    @Test("the next host is taken when the first does not answer")
    func nextHost() async throws {
        try await TestDatabase.with { database in
            var configuration = try database.configuration
            let port = try database.nodes.port("mariadb", "port")
            configuration.url = "mariadb://trove@127.0.0.1:1,127.0.0.1:\(port)/\(database.name)"
            let store = try await StateStoreFactory.open(configuration, logger: TestDatabase.silent)
            #expect(try await store.read { try $0.datastores.all() } == [])
            await store.close()
        }
    }

    @Test("the clock is the server's, in UTC and to the microsecond, whatever its time zone")
    func clock() async throws {
        try await TestDatabase.with { database in
            try database.administer("SET GLOBAL time_zone = '+05:30'")
            let store = try database.open()
            let before = SystemWallClock().now
            let times = try await store.read { transaction in [try transaction.now, try transaction.now] }
            let after = SystemWallClock().now
            #expect(before <= times[0] && times[0] <= after)
            #expect(times[0] == times[1])
            let later = try await store.write(.relaxed) { try $0.now }
            #expect(later > times[0])
            await store.close()
            try database.administer("SET GLOBAL time_zone = SYSTEM")
        }
    }

    @Test("every kind of value goes in and comes out as it was, twice")
    func values() async throws {
        try await TestDatabase.with { database in
            let store = try database.open()
            let texts: [SQLValue] = [
                "", "text", .text("\u{1F6A2} é 'quoted' \\ \""), .text(String(repeating: "long ", count: 100_000)), "x",
                nil,
            ]
            try await store.withConnection { connection in
                try connection.execute(
                    "CREATE TEMPORARY TABLE kinds (n INT, t MEDIUMTEXT, i BIGINT, d DOUBLE) CHARSET utf8mb4", [])
                for (index, text) in texts.enumerated() {
                    let number: SQLValue = index % 2 == 0 ? .int(.max - Int64(index)) : .int(.min + Int64(index))
                    try connection.execute(
                        "INSERT INTO kinds VALUES (?, ?, ?, ?)",
                        [SQLValue(index), text, number, .double(Double(index) / 3)])
                }
                for _ in 0..<2 {
                    let rows = try connection.query("SELECT t, i, d FROM kinds ORDER BY n", []) { row in
                        (0..<3).map(row.value)
                    }
                    #expect(rows.map { $0[0] } == texts)
                    #expect(rows[0][1] == .int(.max) && rows[1][1] == .int(.min + 1))
                    #expect(rows[1][2] == .double(1.0 / 3))
                }
                let kinds = try connection.first("SELECT x'00', NULL, 1, 1.5", []) { row in (0..<4).map(row.kind) }
                #expect(kinds == [.other, .null, .int, .other])
                #expect(throws: StateStoreError.self) { try connection.query("SELECT ?, ?", [1]) { _ in true } }
            }
            await store.close()
        }
    }
}

@Suite("TLS to a database server")
struct MariaDBTLSTests {
    private func encrypted(_ configuration: StateStoreConfiguration) async throws -> Bool {
        guard case .server(let server) = try StateStorePlace(configuration.url) else { return false }
        let store = MariaDBStateStore(configuration, server, clock: nil, logger: TestDatabase.silent)
        do {
            let cipher = try await store.withConnection { connection in
                try connection.first("SHOW SESSION STATUS LIKE 'Ssl_cipher'", []) { $0.text(1) } ?? ""
            }
            await store.close()
            return !cipher.isEmpty
        } catch {
            await store.close()
            throw error
        }
    }

    private func configuration(_ nodes: Nodes) throws -> StateStoreConfiguration {
        StateStoreConfiguration(
            url: "mariadb://trove@127.0.0.1:\(try nodes.port("mariadb", "port"))/trove",
            password: Secret(try nodes.password("mariadb", "trove")))
    }

    @Test("a certificate is verified against the authority and the address, in each mode as it says")
    func modes() async throws {
        let nodes = try Nodes.shared([.mariadb], tls: true)
        var configuration = try configuration(nodes)
        let authority = try nodes.text("ca_file")
        for (tls, file, isEncrypted) in [
            (.off, nil, false), (.preferred, nil, true), (.required, nil, true), (.verify, authority, true),
        ] as [(StateStoreTLS, String?, Bool)] {
            configuration.tls = tls
            configuration.caFile = file
            #expect(try await encrypted(configuration) == isEncrypted, "\(tls)")
        }
        // Signed by nobody whom this host trusts.
        configuration.tls = .verify
        configuration.caFile = nil
        await #expect { try await encrypted(configuration) } throws: { has(.unavailable)($0) }
        // Valid, but for other names and addresses than this one.
        configuration.caFile = authority
        configuration.url = configuration.url.replacing("127.0.0.1", with: "127.1")
        await #expect { try await encrypted(configuration) } throws: { has(.unavailable)($0) }
    }

    @Test("a server without TLS is taken if TLS is preferred and refused if it is required")
    func plainServer() async throws {
        var configuration = try configuration(try Nodes.shared([.mariadb]))
        configuration.tls = .preferred
        #expect(try await !encrypted(configuration))
        for tls in [StateStoreTLS.required, .verify] {
            configuration.tls = tls
            await #expect { try await encrypted(configuration) } throws: { error in
                has(.unavailable)(error) && (error as? StateStoreError)?.message.contains("SSL") == true
                    || (error as? StateStoreError)?.message.contains("TLS") == true
            }
        }
    }
}
