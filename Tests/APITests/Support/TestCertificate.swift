// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A self-signed certificate for 127.0.0.1 and its key, in a directory.
struct TestCertificate {
    let certificateFile: String
    let keyFile: String

    /// - Parameter name: The subject's common name, by which clients tell one certificate from another.
    init(_ name: String, in directory: String) throws {
        certificateFile = "\(directory)/\(name).pem"
        keyFile = "\(directory)/\(name).key"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
            + ["-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyFile]
            + ["-out", certificateFile]
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        chmod(keyFile, 0o600)
    }

    /// Puts another pair into these files' place, as an operator's tool does: a new file each, renamed.
    func replace(with other: TestCertificate) throws {
        try Self.replace(keyFile, with: other.keyFile)
        try Self.replace(certificateFile, with: other.certificateFile)
    }

    static func replace(_ path: String, with source: String) throws {
        try? FileManager.default.removeItem(atPath: path + ".new")
        try FileManager.default.copyItem(atPath: source, toPath: path + ".new")
        try #require(rename(path + ".new", path) == 0)
    }
}
