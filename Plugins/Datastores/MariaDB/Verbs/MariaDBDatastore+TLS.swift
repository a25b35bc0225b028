// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: TLSAdministration {
    /// The server takes where its files are at its start alone; files that it knows it reads anew.
    func applyTLS(_ request: TLSRequest, call: Call) throws -> Bool {
        var isLate = true
        do {
            isLate = try administer(call) { try bringAbout(request, $0) }
        } catch let failure as PluginFailure where failure.status == .unavailable {
            // A server that is down, perhaps because of its TLS, has the new one with its next start.
        }
        var new = tls
        (new.mode, new.files) = (request.mode, request.files)
        try keep(tls: new)
        return isLate
    }

    func tlsStatus(call: Call) throws -> TLSStatus {
        let isOn = try administer(call) { try Self.running($0).isOn }
        return TLSStatus(isOn: isOn, mode: tls.mode)
    }

    /// After a start, which everything that waited for one has been waiting for.
    func requireAsAsked(_ call: Call) throws {
        let (isWanted, isRequired) = (tls.mode == .mtls, tls.isRequired)
        if isWanted, !isRequired {
            try administer(call) { try requireCertificates($0) }
        } else if !isWanted, isRequired {
            try administer(call) { try releaseAccounts($0) }
        } else if !isWanted, isJustRestored {
            // Without TLS nobody can show the certificate that the other instance asked for.
            try administer(call) { connection in
                for account in try Self.accounts(connection) where account.requirement == "X509" {
                    try Self.require("NONE", of: account.text, connection)
                }
            }
        }
    }

    /// What new accounts of tenants must show, in SQL.
    var requirement: String { tls.isRequired ? " REQUIRE X509" : "" }

    // MARK: The running server

    private struct Running {
        var files: TLSFiles?
        var isOn: Bool
    }

    private static func running(_ connection: Connection) throws -> Running {
        let row =
            try connection.run(
                "SELECT @@global.have_ssl, @@global.ssl_cert, @@global.ssl_key, @@global.ssl_ca",
                "read the state of TLS"
            ).first ?? []
        func text(_ column: Int) -> String? {
            guard row.indices.contains(column), let text = row[column], !text.isEmpty else { return nil }
            return text
        }
        var running = Running(files: nil, isOn: text(0) == "YES")
        if let certificate = text(1), let key = text(2) {
            running.files = TLSFiles(certificate: certificate, key: key, authority: text(3))
        }
        return running
    }

    /// - Returns: Whether the server must be started anew first.
    private func bringAbout(_ request: TLSRequest, _ connection: Connection) throws -> Bool {
        let running = try Self.running(connection)
        let isLoaded = running.isOn && running.files == request.files
        if isLoaded { try connection.run("FLUSH SSL", "read the certificate anew") }
        switch request.mode {
        case .off, .basic:
            try setSecureTransport(false, connection)
            try releaseAccounts(connection)
        case .enforced:
            if running.isOn { try setSecureTransport(true, connection) }
            try releaseAccounts(connection)
        case .mtls:
            guard isLoaded else { break }
            try setSecureTransport(true, connection)
            try requireCertificates(connection)
        }
        return request.mode == .off ? running.isOn : !isLoaded
    }

    private func setSecureTransport(_ isOn: Bool, _ connection: Connection) throws {
        try connection.run(
            "SET GLOBAL require_secure_transport = \(isOn ? "ON" : "OFF")", "set require_secure_transport")
    }

    // MARK: Accounts

    private struct Account {
        /// As SQL has it.
        var text: String
        /// Empty, `ANY`, `X509` or `SPECIFIED`.
        var requirement: String
    }

    /// Those of tenants, and the superuser that they may have.
    private static func accounts(_ connection: Connection) throws -> [Account] {
        let hidden = SQLText.list(Accounts.hidden.filter { $0 != "root" } + ["mariadb.sys"])
        return try connection.run(
            """
            SELECT User, Host, ssl_type FROM mysql.user WHERE is_role = 'N' AND User NOT IN \(hidden) \
            AND NOT (User = 'root' AND Host = 'localhost')
            """, "list the accounts"
        ).map { row in
            Account(
                text: Accounts.text(UserKey(name: row[0] ?? "", host: row[1] ?? "")), requirement: row[2] ?? "")
        }
    }

    private static func require(_ what: String, of account: String, _ connection: Connection) throws {
        try connection.run("ALTER USER \(account) REQUIRE \(what)", "set what \(account) must show")
    }

    /// A demand that is stricter than this one stays; what was laxer is remembered.
    private func requireCertificates(_ connection: Connection) throws {
        let accounts = try Self.accounts(connection)
        if !tls.isRequired {
            var new = tls
            new.isRequired = true
            new.own = Dictionary(
                accounts.compactMap { account in
                    switch account.requirement {
                    case "ANY": (account.text, "SSL")
                    case "X509": (account.text, "X509")
                    default: nil
                    }
                }, uniquingKeysWith: { $1 })
            // First: afterwards nobody could tell what they were before.
            try keep(tls: new)
        }
        for account in accounts where ["", "ANY"].contains(account.requirement) {
            try Self.require("X509", of: account.text, connection)
        }
    }

    /// Takes it back.
    private func releaseAccounts(_ connection: Connection) throws {
        guard tls.isRequired else { return }
        for account in try Self.accounts(connection) where account.requirement == "X509" {
            let own = tls.own[account.text] ?? "NONE"
            if own != "X509" { try Self.require(own, of: account.text, connection) }
        }
        var new = tls
        (new.isRequired, new.own) = (false, [:])
        try keep(tls: new)
    }
}
