// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Certificates as PEM texts, made once with openssl.
struct TestPEM {
    var certificate: String
    var key: String

    /// Of an authority, one that it issued, and one more; nothing where openssl fails.
    static let authority = make("authority", isAuthority: true)
    static let engine = make("engine", issuer: "authority", names: "subjectAltName=IP:127.0.0.9,DNS:engine.example")
    static let other = make("other", issuer: "authority")
    static let weak = make("weak", issuer: "authority", key: ["rsa:1024"])

    private static let folder: String = {
        let path = Built.directory + "/pem"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }()

    private static func make(
        _ name: String, issuer: String? = nil, isAuthority: Bool = false, names: String? = nil,
        key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    ) -> TestPEM {
        if issuer != nil { _ = authority }
        let base = folder + "/" + name
        var arguments = ["req", "-x509", "-nodes", "-days", "2", "-newkey"] + key
        arguments += ["-subj", "/CN=\(name)", "-keyout", base + ".key", "-out", base + ".pem"]
        arguments += ["-addext", "basicConstraints=critical,CA:\(isAuthority ? "TRUE" : "FALSE")"]
        if let issuer { arguments += ["-CA", "\(folder)/\(issuer).pem", "-CAkey", "\(folder)/\(issuer).key"] }
        if let names { arguments += ["-addext", names] }
        _ = Built.run("/usr/bin/openssl", arguments)
        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        return TestPEM(certificate: text(base + ".pem"), key: text(base + ".key"))
    }
}
