// SPDX-License-Identifier: Apache-2.0

import CMariaDB
import TrovePluginKit

/// One login to the engine; closed with the value.
///
/// Not safe for two threads at a time; any thread may use it. Each wait ends after `timeoutSeconds`.
final class Connection {
    /// Limit of a connect, of a read and of a write.
    let timeoutSeconds: UInt32
    private let handle: UnsafeMutablePointer<MYSQL>

    /// Logs in.
    ///
    /// - Parameter isEncrypted: With TLS, whoever's certificate the server shows: its address is this machine's own.
    /// - Throws: `PluginFailure` of the engine's error number.
    init(address: String, port: Int, user: String, password: String, timeoutSeconds: UInt32, isEncrypted: Bool) throws {
        guard let handle = mysql_init(nil) else { throw PluginFailure(.exhausted, "no memory for a connection") }
        self.handle = handle
        self.timeoutSeconds = timeoutSeconds
        for option in [MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT] {
            withUnsafePointer(to: timeoutSeconds) { _ = mysql_options(handle, option, $0) }
        }
        withUnsafePointer(to: UInt32(0)) { _ = mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, $0) }
        if isEncrypted {
            withUnsafePointer(to: CChar(1)) { _ = mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, $0) }
            withUnsafePointer(to: CChar(0)) { _ = mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, $0) }
        }
        _ = mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // Not in the general log: it is for what tenants do, and statements about accounts hold passwords.
        let settings = "SET SESSION sql_mode = '\(SQLText.sessionMode)', SESSION sql_log_off = ON"
        _ = mysql_options(handle, MYSQL_INIT_COMMAND, settings)
        guard mysql_real_connect(handle, address, user, password, nil, UInt32(port), nil, 0) != nil else {
            throw failure("no login as \(user)")
        }
    }

    deinit { mysql_close(handle) }

    /// Runs a statement; returns its rows, each value as text, `nil` for NULL.
    ///
    /// - Parameters:
    ///   - statement: The text; its literals may hold secrets, so no message repeats it.
    ///   - purpose: What failed, for messages, e.g. `create database`.
    /// - Throws: `PluginFailure` of the engine's error number.
    @discardableResult
    func run(_ statement: String, _ purpose: String) throws -> [[String?]] {
        var statement = statement
        let status = statement.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) { mysql_real_query(handle, $0.baseAddress, UInt($0.count)) }
        }
        guard status == 0 else { throw failure(purpose) }
        guard let result = mysql_store_result(handle) else {
            guard mysql_field_count(handle) == 0 else { throw failure(purpose) }
            return []
        }
        defer { mysql_free_result(result) }
        let columns = Int(mysql_num_fields(result))
        var rows: [[String?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                (0..<columns).map { column in
                    row[column].map { pointer in
                        String(
                            decoding: UnsafeRawBufferPointer(start: pointer, count: Int(lengths[column])),
                            as: UTF8.self)
                    }
                })
        }
        guard mysql_errno(handle) == 0 else { throw failure(purpose) }
        return rows
    }

    private func failure(_ purpose: String) -> PluginFailure {
        let number = Int(mysql_errno(handle))
        return EngineError.failure(number: number, text: String(cString: mysql_error(handle)), purpose: purpose)
    }
}
