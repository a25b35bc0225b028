// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How a client speaks TLS with an engine.
struct TLSWish: Sendable {
    /// Whose certificate the server must show, with its address in it; nil: no TLS at all.
    var authority: String?
    /// Its own certificate and key.
    var certificate: String?
    var key: String?

    static let plain = TLSWish()

    static func verified(_ authority: TestAuthority, with own: TestAuthority.Pair? = nil) -> TLSWish {
        TLSWish(
            authority: authority.own.certificateFile, certificate: own?.certificateFile, key: own?.keyFile)
    }
}

/// An engine whose TLS is tested, and its own client.
struct TLSEngine: Sendable, CustomStringConvertible {
    var engine: EngineUnderTest
    var port: Int
    /// What `openssl s_client -starttls` calls its protocol.
    var protocolName: String

    var description: String { engine.datastore }

    static let all = [
        TLSEngine(engine: .mariadb, port: 3306, protocolName: "mysql"),
        TLSEngine(engine: .postgresql, port: 5432, protocolName: "postgres"),
    ]

    var root: String { engine.datastore == "mariadb" ? "root" : "postgres" }

    /// Whether the user gets in, and with what: `true` only if the connection is as it was wished for.
    func admits(_ login: Login, _ wish: TLSWish, at address: String) async throws -> Bool {
        let answer = try await answer(login, wish, address)
        guard answer.status == 0 else { return false }
        return answer.output.contains("TLS") == (wish.authority != nil)
    }

    private func answer(_ login: Login, _ wish: TLSWish, _ address: String) async throws -> CommandResult {
        if engine.datastore == "mariadb" {
            var arguments = [
                "/usr/bin/mariadb", "--no-defaults", "--protocol=tcp", "-h", address, "-u", login.user, "-N", "-B",
            ]
            if let authority = wish.authority {
                arguments += ["--ssl-ca=\(authority)", "--ssl-verify-server-cert"]
            } else {
                arguments.append("--skip-ssl")
            }
            if let certificate = wish.certificate, let key = wish.key {
                arguments += ["--ssl-cert=\(certificate)", "--ssl-key=\(key)"]
            }
            let query =
                "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER'"
            return try await Command.run(arguments + ["-e", query], environment: ["MYSQL_PWD": login.password])
        }
        var environment = [
            "PGPASSWORD": login.password, "PGCONNECT_TIMEOUT": "10", "PGSSLCERT": "/dev/null/none",
            "PGSSLMODE": wish.authority == nil ? "disable" : "verify-full",
        ]
        environment["PGSSLROOTCERT"] = wish.authority
        if let certificate = wish.certificate, let key = wish.key {
            environment["PGSSLCERT"] = certificate
            environment["PGSSLKEY"] = key
        }
        return try await Command.run(
            [
                "/usr/bin/psql", "-X", "-w", "-A", "-t", "-h", address, "-U", login.user, "-d",
                login.user == root ? "postgres" : "shop", "-c", "\\conninfo",
            ], environment: environment)
    }

    /// The number of the certificate that the server shows; nil where it takes no TLS.
    func serial(at address: String) async throws -> String? {
        let shown = try await Command.run(
            ["/usr/bin/openssl", "s_client", "-connect", "\(address):\(port)", "-starttls", protocolName], input: "",
            seconds: 20)
        guard let start = shown.output.range(of: "-----BEGIN CERTIFICATE-----") else { return nil }
        return try await TestAuthority.openssl(
            ["x509", "-noout", "-serial"], input: String(shown.output[start.lowerBound...]))
    }
}
