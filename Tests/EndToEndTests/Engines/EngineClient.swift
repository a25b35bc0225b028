// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A user of an engine.
struct Login: Sendable {
    var user: String
    var password: String
}

/// What a tenant does with an engine, over the engine's own protocol.
protocol EngineClient: Sendable {
    /// Writes as the user, into the database where the engine has databases.
    func write(_ login: Login, database: String, at address: String) async throws

    /// Changes what was written: some of it goes, some of it is something else, something is new.
    func change(_ login: Login, database: String, at address: String) async throws

    /// All that the user has in the database, in an order of its own.
    func content(_ login: Login, database: String, at address: String) async throws -> String

    /// Whether the user gets in, and into the database where one is named.
    func admits(_ login: Login, database: String?, at address: String) async throws -> Bool
}

/// Through `mariadb`.
struct MariaDBClient: EngineClient {
    func write(_ login: Login, database: String, at address: String) async throws {
        try await run(
            login, database, address,
            """
            CREATE TABLE fruit (n INT PRIMARY KEY, name VARCHAR(40) CHARACTER SET utf8mb4, body BLOB);
            INSERT INTO fruit SELECT seq, CONCAT('früit ', seq), UNHEX(SHA2(seq, 512)) FROM seq_1_to_500;
            """)
    }

    func change(_ login: Login, database: String, at address: String) async throws {
        try await run(
            login, database, address,
            """
            DELETE FROM fruit WHERE n <= 250; UPDATE fruit SET name = 'other' WHERE n > 400;
            CREATE TABLE later (n INT PRIMARY KEY);
            """)
    }

    func content(_ login: Login, database: String, at address: String) async throws -> String {
        let tables = try await run(login, database, address, "SHOW TABLES")
        return tables + "\n"
            + (try await run(login, database, address, "SELECT n, name, HEX(body) FROM fruit ORDER BY n"))
    }

    func admits(_ login: Login, database: String?, at address: String) async throws -> Bool {
        (try? await run(login, database ?? "", address, "SELECT 1")) == "1"
    }

    @discardableResult
    private func run(_ login: Login, _ database: String, _ address: String, _ statement: String) async throws -> String
    {
        try await SQL.run(address, user: login.user, password: login.password, database: database, statement)
    }
}

/// Through `psql`.
struct PostgreSQLClient: EngineClient {
    func write(_ login: Login, database: String, at address: String) async throws {
        try await run(
            login, database, address,
            """
            CREATE TABLE fruit (n int PRIMARY KEY, name text, body bytea);
            INSERT INTO fruit SELECT n, 'früit ' || n, sha512(n::text::bytea) FROM generate_series(1, 500) AS n;
            """)
    }

    func change(_ login: Login, database: String, at address: String) async throws {
        try await run(
            login, database, address,
            """
            DELETE FROM fruit WHERE n <= 250; UPDATE fruit SET name = 'other' WHERE n > 400;
            CREATE TABLE later (n int PRIMARY KEY);
            """)
    }

    func content(_ login: Login, database: String, at address: String) async throws -> String {
        try await run(
            login, database, address,
            """
            SELECT relname FROM pg_stat_user_tables ORDER BY relname;
            SELECT n, name, encode(body, 'hex') FROM fruit ORDER BY n;
            """)
    }

    func admits(_ login: Login, database: String?, at address: String) async throws -> Bool {
        (try? await run(login, database ?? "postgres", address, "SELECT 1")) == "1"
    }

    @discardableResult
    private func run(_ login: Login, _ database: String, _ address: String, _ statement: String) async throws -> String
    {
        let result = try await Command.run(
            [
                "/usr/bin/psql", "-X", "-w", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", address, "-U", login.user,
                "-d", database, "-c", statement,
            ], environment: ["PGPASSWORD": login.password, "PGCONNECT_TIMEOUT": "10"])
        guard result.status == 0 else { throw TestFailure("the engine refused: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Through `redis-cli`.
struct RedisClient: EngineClient {
    func write(_ login: Login, database: String, at address: String) async throws {
        let texts = (1...500).map { "SET fruit:\($0) früit-\($0)" }
        try await run(
            login, address,
            texts + [
                "HSET shelf a 1 b 2", "RPUSH queue x y z", "ZADD rank 1 one 2 two", "SADD bag p", "SELECT 3",
                "SET in three",
            ])
    }

    func change(_ login: Login, database: String, at address: String) async throws {
        try await run(
            login, address, (1...250).map { "DEL fruit:\($0)" } + ["SET fruit:400 other", "SET later 1", "LPOP queue"])
    }

    func content(_ login: Login, database: String, at address: String) async throws -> String {
        let texts = (1...500).map { "GET fruit:\($0)" }
        return try await run(
            login, address,
            ["DBSIZE", "HGETALL shelf", "LRANGE queue 0 -1", "ZRANGE rank 0 -1 WITHSCORES", "SMEMBERS bag"] + texts
                + ["SELECT 3", "DBSIZE", "GET in"])
    }

    func admits(_ login: Login, database: String?, at address: String) async throws -> Bool {
        (try? await run(login, address, ["PING"])) == "PONG"
    }

    @discardableResult
    private func run(_ login: Login, _ address: String, _ commands: [String]) async throws -> String {
        let result = try await Command.run(
            ["/usr/bin/redis-cli", "-h", address, "--user", login.user, "--no-auth-warning"],
            environment: ["REDISCLI_AUTH": login.password], input: commands.joined(separator: "\n") + "\n")
        let complaints = #/^(ERR|NOAUTH|NOPERM|WRONGPASS|MISCONF|Could not)/#
        let refusal = (result.errors + result.output).split(separator: "\n").first {
            $0.contains(complaints) || $0.contains("AUTH failed")
        }
        guard result.status == 0, refusal == nil else {
            throw TestFailure("the engine refused: \(refusal ?? "\(result.errors)")")
        }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
