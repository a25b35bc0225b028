// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The administrator's connection, made when it is needed and made anew when it is lost.
final class Session {
    static let administrator = "os_admin"

    private let address: String
    private let port: Int
    private var connection: Connection?
    /// How the last login that worked was made.
    private var isEncrypted = false

    init(address: String, port: Int) {
        self.address = address
        self.port = port
    }

    /// Runs `body` with a connection whose waits end within the call's time.
    ///
    /// A connection that was open before and turns out to be lost is replaced once: what the plugin sends may be repeated.
    func run<Result>(password: String, call: Call, _ body: (Connection) throws -> Result) throws -> Result {
        try call.check()
        let seconds = Self.timeout(call)
        if let connection, connection.timeoutSeconds <= seconds, connection.timeoutSeconds * 2 >= seconds {
            do {
                return try body(connection)
            } catch let failure as PluginFailure where EngineError.isLostConnection(failure) {
                self.connection = nil
            }
        }
        let fresh = try logIn(password, seconds)
        connection = fresh
        do {
            return try body(fresh)
        } catch let failure as PluginFailure where EngineError.isLostConnection(failure) {
            connection = nil
            throw failure
        }
    }

    /// Logs out.
    func close() { connection = nil }

    /// With TLS where the server wants it, without where it has none.
    private func logIn(_ password: String, _ seconds: UInt32) throws -> Connection {
        do {
            return try open(password, seconds)
        } catch let failure as PluginFailure
            where EngineError.number(of: failure)
            == (isEncrypted ? EngineError.noSecureTransport : EngineError.accessDenied)
        {
            isEncrypted.toggle()
            do {
                return try open(password, seconds)
            } catch {
                isEncrypted.toggle()
                throw failure
            }
        }
    }

    private func open(_ password: String, _ seconds: UInt32) throws -> Connection {
        try Connection(
            address: address, port: port, user: Self.administrator, password: password, timeoutSeconds: seconds,
            isEncrypted: isEncrypted)
    }

    /// Whole seconds that the call has left, from 1 to 600.
    private static func timeout(_ call: Call) -> UInt32 {
        guard let left = call.timeLeft else { return 600 }
        return UInt32(min(max(left.components.seconds, 1), 600))
    }
}
