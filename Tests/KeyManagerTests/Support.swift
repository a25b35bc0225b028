// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManager
import Model
import Testing

/// Threads as the control plane has them.
struct TestThreads: BlockingThreads {
    func run<Value: Sendable>(_ body: @Sendable @escaping () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}

/// A root, an intermediate and a leaf with their keys, made by openssl; PEM texts.
struct TestChain: Sendable {
    let root, intermediate, leaf, key, lockedKey, selfSigned, selfSignedKey: String
    static let passphrase = "correct horse"

    init(_ directory: String) throws {
        func run(_ words: [String]) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = words
            process.currentDirectoryURL = URL(fileURLWithPath: directory)
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "openssl \(words)")
        }
        func make(_ name: String, issuer: String?, isAuthority: Bool) throws {
            let new = [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            ]
            let signed = issuer.map { ["-CA", "\($0).pem", "-CAkey", "\($0).key"] } ?? []
            let words =
                new + signed + ["-subj", "/CN=\(name)", "-keyout", "\(name).key", "-out", "\(name).pem"]
                + ["-addext", "basicConstraints=critical,CA:\(isAuthority ? "TRUE" : "FALSE")"]
            try run(words)
        }
        func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
        }
        try make("root", issuer: nil, isAuthority: true)
        try make("intermediate", issuer: "root", isAuthority: true)
        try make("leaf", issuer: "intermediate", isAuthority: false)
        try make("single", issuer: nil, isAuthority: false)
        try run(
            ["pkcs8", "-topk8", "-in", "leaf.key", "-out", "locked.key", "-v2", "aes-256-cbc"]
                + ["-passout", "pass:" + Self.passphrase])
        (root, intermediate, leaf) = (try text("root.pem"), try text("intermediate.pem"), try text("leaf.pem"))
        (key, lockedKey) = (try text("leaf.key"), try text("locked.key"))
        (selfSigned, selfSignedKey) = (try text("single.pem"), try text("single.key"))
    }
}

extension CertificateContainers {
    /// Why a container cannot be had; nil when it can.
    func refusal(
        _ reference: String, password: String? = nil, projectID: String = "p1", token: String? = nil
    ) async -> CertificateContainerFault? {
        do throws(CertificateContainerFault) {
            _ = try await container(
                reference, passwordReference: password, projectID: projectID, token: token)
            return nil
        } catch { return error }
    }
}
