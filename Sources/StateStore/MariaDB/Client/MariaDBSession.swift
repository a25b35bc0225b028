// SPDX-License-Identifier: Apache-2.0

import CMariaDB
import Model

/// How a server is connected to.
struct MariaDBOptions: Sendable {
    var user: String
    var database: String
    var password: Secret?
    var tls: StateStoreTLS
    var caFile: String?
    var timeout: Duration
    /// How long one statement may take; nil: as long as it does.
    var statementTimeout: Duration?

    init(_ configuration: StateStoreConfiguration, _ server: DatabaseServer) {
        user = server.user
        database = server.database
        password = configuration.password
        tls = configuration.tls
        caFile = configuration.caFile
        timeout = configuration.timeout
        statementTimeout = configuration.timeout
    }
}

/// One connection to a server, on libmariadb. Stays on the thread that made it.
final class MariaDBSession {
    let host: DatabaseServer.Host
    private let connection: UnsafeMutablePointer<MYSQL>
    private var statements: [String: MariaDBStatement] = [:]

    /// Made once a process, before the first connection and by one thread. Source: mysql_library_init(3).
    private static let library: Int32 = mysql_server_init(0, nil, nil)

    /// Connects and authenticates. Blocks for `timeout` at most.
    init(_ host: DatabaseServer.Host, _ options: MariaDBOptions) throws(MariaDBFailure) {
        _ = Self.library
        guard let connection = mysql_init(nil) else {
            throw MariaDBFailure(number: MariaDBFailure.outOfMemory, text: "out of memory")
        }
        Self.configure(connection, options)
        // Rows found, not rows changed, as every other database counts.
        let opened = mysql_real_connect(
            connection, host.name, options.user, options.password?.revealed ?? "", options.database,
            UInt32(host.port), nil, UInt(CLIENT_FOUND_ROWS))
        guard opened != nil else {
            let failure = Self.failure(connection)
            mysql_close(connection)
            throw failure
        }
        if options.tls == .required || options.tls == .verify, mysql_get_ssl_cipher(connection) == nil {
            mysql_close(connection)
            throw MariaDBFailure(
                number: MariaDBFailure.tls, text: "TLS is required, but the server does not offer it")
        }
        self.host = host
        self.connection = connection
    }

    /// The library cuts the statements off first, so that they are freed without a word to the server.
    deinit {
        mysql_close(connection)
        statements = [:]
    }

    private static func configure(_ connection: UnsafeMutablePointer<MYSQL>, _ options: MariaDBOptions) {
        func set(_ option: mysql_option, _ number: UInt32) {
            var number = number
            mysql_options(connection, option, &number)
        }
        func seconds(_ duration: Duration) -> UInt32 { UInt32(clamping: max(1, duration.components.seconds)) }
        // Or "localhost" would be a socket file.
        set(MYSQL_OPT_PROTOCOL, UInt32(MYSQL_PROTOCOL_TCP.rawValue))
        set(MYSQL_OPT_CONNECT_TIMEOUT, seconds(options.timeout))
        if let timeout = options.statementTimeout {
            set(MYSQL_OPT_READ_TIMEOUT, seconds(timeout))
            set(MYSQL_OPT_WRITE_TIMEOUT, seconds(timeout))
        }
        set(MYSQL_OPT_LOCAL_INFILE, 0)
        mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // None that sends the password as it is.
        mysql_options(
            connection, MARIADB_OPT_RESTRICTED_AUTH,
            "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password,parsec")
        var (enforce, verify): (my_bool, my_bool) = (options.tls == .off ? 0 : 1, options.tls == .verify ? 1 : 0)
        mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &enforce)
        mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify)
        if options.tls != .off, let file = options.caFile { mysql_options(connection, MYSQL_OPT_SSL_CA, file) }
    }

    /// Whether what goes over the wire is encrypted.
    var isEncrypted: Bool { mysql_get_ssl_cipher(connection) != nil }

    /// Runs constant text that needs no values, without preparing it.
    func run(_ sql: String) throws(MariaDBFailure) {
        guard mysql_real_query(connection, sql, UInt(sql.utf8.count)) == 0 else { throw Self.failure(connection) }
        // What a statement may have returned is taken off the wire.
        if let result = mysql_store_result(connection) { mysql_free_result(result) }
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        try preparedAgain(sql) { try $0.execute(values) }
    }

    func query<Value>(_ sql: String, _ values: [SQLValue], _ map: (any StateRow) throws -> Value) throws -> [Value] {
        try preparedAgain(sql) { statement in
            var result: [Value] = []
            try statement.query(values) { result.append(try map($0)) }
            return result
        }
    }

    /// A server forgets a statement or wants it prepared anew after changes to its tables.
    private func preparedAgain<Value>(_ sql: String, _ body: (MariaDBStatement) throws -> Value) throws -> Value {
        do {
            return try body(prepared(sql))
        } catch let failure as MariaDBFailure where [1243, 1615].contains(failure.number) {
            statements[sql] = nil
            return try body(prepared(sql))
        }
    }

    private func prepared(_ sql: String) throws(MariaDBFailure) -> MariaDBStatement {
        if let statement = statements[sql] { return statement }
        let statement = try MariaDBStatement(sql, on: connection)
        statements[sql] = statement
        return statement
    }

    private static func failure(_ connection: UnsafeMutablePointer<MYSQL>) -> MariaDBFailure {
        MariaDBFailure(number: mysql_errno(connection), text: String(cString: mysql_error(connection)))
    }
}
