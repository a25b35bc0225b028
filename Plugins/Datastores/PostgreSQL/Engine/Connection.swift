// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL
import TrovePluginKit

/// Whom to log in as, and where.
struct Login {
    /// An address, or the directory of the Unix socket.
    var host: String
    var port: Int
    var user = Session.administrator
    /// `nil` where the operating system says who asks.
    var password: String?
    var database = Session.database
    /// How text is sent; `SQL_ASCII` sends bytes as they are, whatever the database's own encoding.
    var encoding = "UTF8"
    /// Whoever's certificate the server shows: its address is this machine's own.
    var tls = TLS.prefer

    /// The client library's `sslmode`.
    enum TLS: String {
        /// Where the server has it.
        case prefer
        case require
    }

    /// The client library's parameters. Every one that its environment variables could set is set.
    var parameters: [(String, String)] {
        [
            ("host", host), ("port", String(port)), ("user", user), ("password", password ?? ""),
            ("dbname", database), ("client_encoding", encoding), ("application_name", "trove"),
            ("passfile", "/dev/null/none"), ("sslmode", tls.rawValue), ("gssencmode", "disable"),
            // What the user of the agent has at home is not for this: no certificate, nobody to check the server's with.
            ("sslcert", "/dev/null/none"), ("sslkey", "/dev/null/none"), ("sslrootcert", "/dev/null/none"),
            ("sslcrl", "/dev/null/none"), ("options", Self.options),
        ]
    }

    /// Statements hold passwords' verifiers, so none is logged; a tenant's settings must not change what they mean.
    private static let options = [
        "standard_conforming_strings=on", "log_statement=none", "log_min_error_statement=panic",
        "log_min_duration_statement=-1", "log_min_duration_sample=-1", "log_duration=off",
        "default_transaction_read_only=off", "statement_timeout=0", "lock_timeout=30s", "search_path=pg_catalog",
        "row_security=off",
    ].map { "-c \($0)" }.joined(separator: " ")
}

/// One login to the engine; closed with the value.
///
/// Not safe for two threads at a time; any thread may use it. Every wait ends with the call that it is for.
final class Connection {
    private let handle: OpaquePointer
    /// Whether it may be used again.
    private(set) var isUsable = true

    /// Logs in.
    ///
    /// - Throws: `PluginFailure` of the engine's error code, `.cancelled`, `.timedOut`.
    init(_ login: Login, call: Call) throws {
        var keys: [UnsafePointer<CChar>?] = []
        var values: [UnsafePointer<CChar>?] = []
        let copies = login.parameters.flatMap {
            [ContiguousArray($0.0.utf8CString), ContiguousArray($0.1.utf8CString)]
        }
        let pointers = copies.map { copy in
            let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: copy.count)
            copy.withUnsafeBufferPointer {
                pointer.initialize(from: $0.baseAddress ?? UnsafePointer(pointer), count: copy.count)
            }
            return pointer
        }
        defer { for pointer in pointers { pointer.deallocate() } }
        for index in stride(from: 0, to: pointers.count, by: 2) {
            keys.append(UnsafePointer(pointers[index]))
            values.append(UnsafePointer(pointers[index + 1]))
        }
        guard let handle = PQconnectStartParams(keys + [nil], values + [nil], 0) else {
            throw PluginFailure(.exhausted, "no memory for a connection")
        }
        self.handle = handle
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        try connect(login, call)
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        // What the server remarks ("role does not exist, skipping") is of no use to anybody here.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
    }

    deinit { PQfinish(handle) }

    private func connect(_ login: Login, _ call: Call) throws {
        let purpose = "no login as \(login.user)"
        var awaits = PGRES_POLLING_WRITING
        while true {
            if PQstatus(handle) == CONNECTION_BAD {
                throw EngineError.login(message: String(cString: PQerrorMessage(handle)), purpose: purpose)
            }
            switch awaits {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED:
                throw EngineError.login(message: String(cString: PQerrorMessage(handle)), purpose: purpose)
            case PGRES_POLLING_READING: try Wait.until(.readable, PQsocket(handle), call)
            default: try Wait.until(.writable, PQsocket(handle), call)
            }
            awaits = PQconnectPoll(handle)
        }
    }

    /// Runs statements, several as one transaction; returns the rows of the last one that has some, each value as text,
    /// `nil` for NULL.
    ///
    /// - Parameters:
    ///   - statement: The text; its literals may hold secrets, so no message repeats it.
    ///   - purpose: What failed, for messages, e.g. `create database`.
    /// - Throws: `PluginFailure` of the engine's error code, `.cancelled`, `.timedOut`.
    @discardableResult
    func run(_ statement: String, _ purpose: String, call: Call) throws -> [[String?]] {
        guard PQsendQuery(handle, statement) == 1 else { throw lost(purpose) }
        var rows: [[String?]] = []
        var refusal: PluginFailure?
        while let result = try next(purpose, call) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK: rows = Self.rows(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: refusal = refusal ?? Self.failure(result, purpose)
            }
        }
        if PQstatus(handle) == CONNECTION_BAD { isUsable = false }
        if let refusal { throw refusal }
        guard isUsable else { throw lost(purpose) }
        return rows
    }

    /// What the server keeps of a password instead of it, made here, so that the password itself is never sent.
    func verifier(of password: String, for user: String) throws -> String {
        guard let text = PQencryptPasswordConn(handle, password, user, "scram-sha-256") else {
            throw PluginFailure(.internal, "the client library could not make a password's verifier")
        }
        defer { PQfreemem(text) }
        return String(cString: text)
    }

    /// The next result; `nil` after the last one. A call that ends meanwhile ends the statement too.
    private func next(_ purpose: String, _ call: Call) throws -> OpaquePointer? {
        do {
            while PQflush(handle) == 1 { try Wait.until(.writable, PQsocket(handle), call) }
            while PQisBusy(handle) == 1 {
                try Wait.until(.readable, PQsocket(handle), call)
                guard PQconsumeInput(handle) == 1 else { throw lost(purpose) }
            }
        } catch {
            isUsable = false
            cancel()
            throw error
        }
        return PQgetResult(handle)
    }

    private func cancel() {
        guard let request = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(request) }
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(request, &message, 256)
    }

    private func lost(_ purpose: String) -> PluginFailure {
        isUsable = false
        let line = String(cString: PQerrorMessage(handle)).split(whereSeparator: \.isNewline).first
        return PluginFailure(.unavailable, "\(purpose): \(line.map(String.init) ?? "the connection was lost")")
    }

    private static func rows(_ result: OpaquePointer) -> [[String?]] {
        let columns = PQnfields(result)
        return (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                    return nil
                }
                let bytes = UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column)))
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    private static func failure(_ result: OpaquePointer, _ purpose: String) -> PluginFailure {
        func field(_ code: Unicode.Scalar) -> String {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } ?? ""
        }
        // Source: postgres_ext.h, PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY.
        return EngineError.failure(code: field("C"), text: field("M"), purpose: purpose)
    }
}
