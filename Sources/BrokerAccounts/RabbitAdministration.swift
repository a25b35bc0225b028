// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import HTTPClient
package import Logging
import Model

/// Guests' accounts at a RabbitMQ broker, over its management API.
///
/// Passwords travel as salted hashes. Source: RabbitMQ, "HTTP API Reference" and "Password Hashing".
package struct RabbitAdministration: BrokerAdministration {
    private let configuration: RabbitAdministrationConfiguration
    private let client: ManagementClient
    private let logger: Logger

    /// How long a broker that starts may answer before it has its virtual hosts again, and how often it is asked meanwhile.
    private static let recovery = (limit: Duration.seconds(30), pause: Duration.milliseconds(500))

    /// - Throws: `unusable` for an URL that is none, or without libcurl.
    package init(
        _ configuration: RabbitAdministrationConfiguration, logger: Logger
    ) throws(BrokerAccountError) {
        self.configuration = configuration
        self.logger = logger
        client = try ManagementClient(configuration)
    }

    package func create(_ account: GuestAccount) async throws(BrokerAccountError) {
        let deadline = ContinuousClock.now + Self.recovery.limit
        while true {
            do {
                return try await make(account)
            } catch {
                guard error.code == .missing, ContinuousClock.now < deadline, !Task.isCancelled else { throw error }
            }
            try? await Task.sleep(for: Self.recovery.pause)
        }
    }

    private func make(_ account: GuestAccount) async throws(BrokerAccountError) {
        let user = Self.segment(account.user)
        let host = Self.segment(configuration.virtualHost)
        let rights = GuestRights(
            instanceID: account.instanceID, exchange: configuration.exchange,
            guestExchange: configuration.guestExchange)
        // Without rights, which come last, the account cannot open the virtual host.
        try await client.put(
            "users/\(user)",
            [
                "password_hash": .string(try Self.hash(account.password)),
                "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": "",
            ])
        for topic in rights.topicPermissions { try await client.put("topic-permissions/\(host)/\(user)", topic) }
        try await client.put("permissions/\(host)/\(user)", rights.permissions)
        logger.debug("broker account made", metadata: ["instance.id": "\(account.instanceID)"])
    }

    package func remove(instanceID: String) async throws(BrokerAccountError) {
        try await client.delete("users/\(Self.segment(GuestAccount.user(instanceID)))")
        logger.debug("broker account removed", metadata: ["instance.id": "\(instanceID)"])
    }

    package func instances() async throws(BrokerAccountError) -> Set<String> {
        let host = Self.segment(configuration.virtualHost)
        // Accounts of another control plane on this broker have rights elsewhere. One without any is half made.
        let permitted = try await names("vhosts/\(host)/permissions", member: "user")
        let unfinished = try await names("users/without-permissions", member: "name")
        return permitted.union(unfinished)
    }

    private func names(_ path: String, member: String) async throws(BrokerAccountError) -> Set<String> {
        let rows = try await client.get(path).arrayValue ?? []
        return Set(
            rows.compactMap { $0[member]?.stringValue }.filter { $0.hasPrefix(GuestAccount.prefix) }
                .map { String($0.dropFirst(GuestAccount.prefix.count)) })
    }

    /// Base64 of four random bytes and the SHA-256 of them and the password.
    static func hash(
        _ password: Secret, random: any RandomSource = SystemRandomSource()
    ) throws(BrokerAccountError) -> String {
        let salt = random.bytes(4)
        let text = salt + Array(password.revealed.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_Digest(text, text.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            throw BrokerAccountError(.unusable, "libcrypto has no SHA-256, which broker passwords are hashed with")
        }
        return Base64.encode(salt + digest)
    }

    /// One segment of a path. Source: RFC 3986 §2.3.
    static func segment(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                encoded.append(byte)
            default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
