// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// What the state store's tables hold, as one digest a table.
struct StoreDigest: Sendable, Equatable {
    var tables: [String: String]

    /// Tables that change without any request: heartbeats, leases, shares of rates. What a key was sent with is kept.
    private static let restless: Set<String> = [
        "service_statuses", "agent_heartbeats", "conductor_lastseen", "leases", "rate_buckets", "idempotency_keys",
        "revocations", "hosts", "schema_migrations", "sqlite_sequence", "sqlite_stat1",
        "operation_events", "event_positions",
    ]

    static func read(_ plane: ControlPlane) async throws -> StoreDigest {
        let lines: String
        if let space = plane.space {
            let tables = try await space.sql("SHOW TABLES").split(separator: "\n").map(String.init)
                .filter { !restless.contains($0) }
            let names = tables.map { "`\($0)`" }.joined(separator: ", ")
            lines = try await space.sql("CHECKSUM TABLE \(names)")
        } else {
            let result = try await Command.run(
                ["/usr/bin/python3", "-c", program, plane.home + "/state/trove.db"])
            guard result.status == 0 else { throw TestFailure("the database cannot be read: \(result.errors)") }
            lines = result.output
        }
        var digest = StoreDigest(tables: [:])
        for line in lines.split(separator: "\n") {
            let pair = line.split(separator: "\t").map(String.init)
            guard pair.count == 2 else { continue }
            let name = pair[0].split(separator: ".").last.map(String.init) ?? pair[0]
            if !restless.contains(name) { digest.tables[name] = pair[1] }
        }
        guard digest.tables["instances"] != nil else { throw TestFailure("no table of instances in \(lines)") }
        return digest
    }

    /// Tables that differ.
    func changes(to other: StoreDigest) -> [String] {
        Set(tables.keys).union(other.tables.keys).filter { tables[$0] != other.tables[$0] }.sorted()
    }

    private static let program = """
        import hashlib, sqlite3, sys
        database = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=30)
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
            rows = sorted(map(repr, database.execute(f'SELECT * FROM "{name}"')))
            print(name, hashlib.sha256("\\n".join(rows).encode()).hexdigest(), sep="\\t")
        """
}

extension ControlPlane {
    /// Proportional set size of the programs of this control plane, without guests and engines, MiB.
    func memory() throws -> Double {
        guard let pid else { throw TestFailure("the control plane does not run") }
        var kib = 0
        for each in [pid] + Self.descendants(of: pid) {
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(each)/exe")
            guard let program, program.hasSuffix("/trove"),
                let text = try? String(contentsOfFile: "/proc/\(each)/smaps_rollup", encoding: .utf8)
            else { continue }
            for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
                kib += line.split(separator: " ").compactMap { Int($0) }.first ?? 0
            }
        }
        return Double(kib) / 1024
    }
}
