// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Model

/// Certificates and private keys as PEM texts, read by libcrypto.
enum PEM {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// The certificates of a text, each with a line break at its end; nil when one of them is none.
    static func certificates(_ text: String) -> [String]? {
        var found: [String] = []
        var block: [Substring]?
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace)
            if line.hasPrefix(begin) { block = [] }
            block?.append(line)
            guard line.hasPrefix(end), let lines = block else { continue }
            let certificate = lines.joined(separator: "\n") + "\n"
            guard isRoot(certificate) != nil else { return nil }
            found.append(certificate)
            block = nil
        }
        return block == nil && !found.isEmpty ? found : nil
    }

    /// Whether a certificate is its own issuer; nil for what is none.
    static func isRoot(_ certificate: String) -> Bool? {
        let bytes = Array(certificate.utf8)
        let answer = trove_certificate_is_root(bytes, Int32(bytes.count))
        return answer < 0 ? nil : answer == 1
    }

    static func isIssued(_ certificate: String, by issuer: String) -> Bool {
        let (bytes, issuer) = (Array(certificate.utf8), Array(issuer.utf8))
        return trove_certificate_is_issued(bytes, Int32(bytes.count), issuer, Int32(issuer.count)) == 1
    }

    static func fits(_ certificate: String, _ key: Secret) -> Bool {
        let bytes = Array(certificate.utf8)
        var key = Array(key.revealed.utf8)
        defer { key.cleanse() }
        return trove_certificate_fits(bytes, Int32(bytes.count), key, Int32(key.count)) == 1
    }

    enum KeyFault: Error, Sendable { case noKey, passphrase }

    /// A private key without its passphrase, PKCS#8.
    static func openKey(_ text: Secret, passphrase: Secret?) throws(KeyFault) -> Secret {
        var bytes = Array(text.revealed.utf8)
        var clear = [UInt8](repeating: 0, count: 64 << 10)
        defer {
            bytes.cleanse()
            clear.cleanse()
        }
        var count: Int32 = 0
        let answer: Int32
        if let passphrase {
            answer = passphrase.revealed.withCString {
                trove_private_key_open(bytes, Int32(bytes.count), $0, &clear, Int32(clear.count), &count)
            }
        } else {
            answer = trove_private_key_open(bytes, Int32(bytes.count), nil, &clear, Int32(clear.count), &count)
        }
        switch answer {
        case 1: return Secret(String(decoding: clear.prefix(Int(count)), as: UTF8.self))
        case 0: throw .noKey
        default: throw .passphrase
        }
    }
}
