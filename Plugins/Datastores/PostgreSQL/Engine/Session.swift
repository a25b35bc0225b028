// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The administrator's connection, made when it is needed and made anew when it is lost.
final class Session {
    /// The role that `initdb` makes: nobody can delete it.
    static let administrator = "os_admin"
    /// Where shared things are administered; no tenant's.
    static let database = "postgres"

    private let files: ServerConfiguration
    private var connection: Connection?

    init(_ files: ServerConfiguration) { self.files = files }

    /// Runs `body` with a connection over the instance's own address.
    ///
    /// A connection that was open before and turns out to be lost is replaced once: what the plugin sends may be repeated.
    func run<Result>(password: String, call: Call, _ body: (Connection) throws -> Result) throws -> Result {
        try call.check()
        if let connection {
            do {
                return try body(connection)
            } catch let failure as PluginFailure where failure.status == .unavailable && !connection.isUsable {
                self.connection = nil
            } catch {
                if !connection.isUsable { self.connection = nil }
                throw error
            }
        }
        let fresh = try Connection(login(password), call: call)
        connection = fresh
        defer { if !fresh.isUsable { connection = nil } }
        return try body(fresh)
    }

    /// Runs `body` with a connection to one database, for what cannot be done from outside it.
    func run<Result>(
        in database: String, password: String, call: Call, _ body: (Connection) throws -> Result
    ) throws -> Result {
        var login = login(password)
        login.database = database
        // Names of roles are kept as the bytes that they were made with, which another encoding's rules would change.
        login.encoding = "SQL_ASCII"
        return try body(try Connection(login, call: call))
    }

    /// Runs `body` with a new connection over the instance's own address that has TLS.
    func runEncrypted<Result>(password: String, call: Call, _ body: (Connection) throws -> Result) throws -> Result {
        var login = login(password)
        login.tls = .require
        return try body(try Connection(login, call: call))
    }

    /// Runs `body` with a connection over the Unix socket, where the operating system says that the agent asks.
    func runLocally<Result>(call: Call, _ body: (Connection) throws -> Result) throws -> Result {
        let login = Login(host: files.socketDirectory, port: files.instance.port)
        return try body(try Connection(login, call: call))
    }

    /// Logs out.
    func close() { connection = nil }

    private func login(_ password: String) -> Login {
        Login(host: files.instance.address, port: files.instance.port, password: password)
    }
}
