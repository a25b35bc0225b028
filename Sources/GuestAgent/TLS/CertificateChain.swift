// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Glibc
import Messaging
import Model

/// Certificates of a PEM text, in its order.
final class CertificateChain {
    /// What is told of a certificate.
    struct Details: Sendable, Hashable {
        var commonName: String
        var expires: Timestamp
        /// `DNS:name` and `IP:address`.
        var names: [String]
    }

    private static let limit = 16
    private var items: [OpaquePointer] = []

    /// - Parameter what: For messages, e.g. `certificate`.
    /// - Throws: `BadRequest` for a text without a certificate, or with one that cannot be read.
    init(_ pem: String, _ what: String) throws(RPCFault) {
        let bytes = Array(pem.utf8)
        var found = [OpaquePointer?](repeating: nil, count: Self.limit)
        let count = trove_x509_read(bytes, Int32(clamping: bytes.count), &found, Int32(Self.limit))
        guard count > 0 else {
            throw Self.refusal(
                count == 0
                    ? "the \(what) has no certificate in PEM form"
                    : "the \(what) has something in PEM form that is no certificate, or more than \(Self.limit)")
        }
        items = found.prefix(Int(count)).compactMap { $0 }
    }

    deinit { for item in items { X509_free(item) } }

    /// Of the first certificate.
    var details: Details {
        var name = [CChar](repeating: 0, count: 512)
        var names = [CChar](repeating: 0, count: 8192)
        trove_x509_common_name(items[0], &name, Int32(name.count))
        trove_x509_names(items[0], &names, Int32(names.count))
        return Details(
            commonName: Self.text(name), expires: Self.time(trove_x509_not_after(items[0])),
            names: Self.text(names).split(separator: "\n").map(String.init))
    }

    /// Each certificate is valid now, each was issued by the next one, and the first one's key is `key`.
    ///
    /// - Throws: `BadRequest` naming what is wrong; never what the key is.
    func check(key: Secret, now: Timestamp) throws(RPCFault) {
        let bytes = Array(key.revealed.utf8)
        guard let pair = trove_x509_key(bytes, Int32(clamping: bytes.count)) else {
            throw Self.refusal("the private key is no unencrypted key in PEM form")
        }
        defer { EVP_PKEY_free(pair) }
        guard trove_x509_fits(items[0], pair) == 1 else {
            throw Self.refusal("the private key is not that of the first certificate; put the engine's own one first")
        }
        try checkTimes("certificate", now)
        for (index, pair) in zip(items, items.dropFirst()).enumerated()
        where trove_x509_signed(pair.1, pair.0) != 1 {
            throw Self.refusal(
                "certificate \(index + 2) did not issue certificate \(index + 1); put each one's issuer after it")
        }
        try checkStrength()
    }

    /// Each may issue certificates, and is valid now.
    func checkAuthorities(now: Timestamp) throws(RPCFault) {
        for (index, item) in items.enumerated() where trove_x509_is_authority(item) != 1 {
            throw Self.refusal("certificate \(index + 1) of the authority may not issue certificates")
        }
        try checkTimes("authority", now)
    }

    private func checkTimes(_ what: String, _ now: Timestamp) throws(RPCFault) {
        for (index, item) in items.enumerated() {
            let (begins, ends) = (
                Self.time(trove_x509_not_before(item)), Self.time(trove_x509_not_after(item))
            )
            guard ends > now else {
                throw Self.refusal("certificate \(index + 1) of the \(what) has expired at \(ends.text)")
            }
            guard begins <= now else {
                throw Self.refusal("certificate \(index + 1) of the \(what) is not valid before \(begins.text)")
            }
        }
    }

    /// What the engine's TLS library would refuse only at its start. Source: SSL_CTX_set_security_level(3), level 2.
    private func checkStrength() throws(RPCFault) {
        for (index, item) in items.enumerated() {
            guard trove_x509_key_bits(item) >= 112 else {
                throw Self.refusal("the key of certificate \(index + 1) is too short; take RSA from 2048 bits, or EC")
            }
            let bits = trove_x509_signature_bits(item)
            if bits > 0, bits < 112, trove_x509_signed(item, item) != 1 {
                throw Self.refusal("certificate \(index + 1) is signed with a digest that is too weak; take SHA-256")
            }
        }
    }

    static func refusal(_ reason: String) -> RPCFault {
        RPCFault(className: "BadRequest", message: "The certificate container cannot be used: \(reason).")
    }

    private static func time(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: min(max(seconds, 0), 253_402_300_799) * 1_000_000)
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
