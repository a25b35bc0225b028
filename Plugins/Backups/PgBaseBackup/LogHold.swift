// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import TrovePluginKit

/// Keeps the server's write-ahead log from the moment it is made, for as long as the value lives.
///
/// A backup fetches the log at its end; on a busy server the part from its beginning would be gone by then. The slot is a
/// temporary one: the server drops it with the connection, whatever becomes of this process.
final class LogHold {
    private let handle: OpaquePointer

    /// - Throws: `PluginFailure` `.unavailable` without a login, `.exhausted` if the server has no slot left.
    init(_ access: BackupAccess) throws {
        let parameters = [
            // TCP: over the Unix socket the server asks the operating system who it is.
            ("host", access.address), ("port", String(access.port)), ("user", access.user), ("dbname", "postgres"),
            ("password", access.password), ("application_name", "trove-backup"), ("sslmode", "disable"),
            ("gssencmode", "disable"), ("connect_timeout", "30"), ("passfile", "/dev/null/none"),
            ("options", "-c statement_timeout=60s -c idle_session_timeout=0"),
        ]
        let text = parameters.map { "\($0.0)=\(Self.quoted($0.1))" }.joined(separator: " ")
        guard let handle = PQconnectdb(text) else { throw PluginFailure(.exhausted, "no memory for a connection") }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else { throw failure(.unavailable, "no login as \(access.user)") }
        let slot = "trove_backup_\(PQbackendPID(handle))"
        let result = PQexec(handle, "SELECT pg_create_physical_replication_slot('\(slot)', true, true)")
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK else {
            throw failure(.exhausted, "the log could not be held for the backup")
        }
    }

    deinit { PQfinish(handle) }

    private func failure(_ status: PluginStatus, _ purpose: String) -> PluginFailure {
        let line = String(cString: PQerrorMessage(handle)).split(whereSeparator: \.isNewline).first
        return PluginFailure(status, "\(purpose): \(line.map(String.init) ?? "no reason is known")")
    }

    /// A value of a connection string. Source: PostgreSQL manual, "Connection Strings".
    private static func quoted(_ text: String) -> String {
        var result = "'"
        for scalar in text.unicodeScalars {
            if scalar == "'" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "'"
    }
}
