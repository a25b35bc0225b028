// SPDX-License-Identifier: Apache-2.0

import KeyManager
import Logging
import Model
import StateStore
import TestSupport
import Testing

@Suite("Certificates of the key manager inside the control plane")
struct StoredCertificatesTests {
    private static let base = "http://127.0.0.1:8779/key-manager/v1"

    /// A store with secrets and containers that a test puts there.
    private struct Vault: Sendable {
        let store: any StateStore
        let seal: any SecretSeal
        let certificates: StoredCertificates
        let clock: TestClock

        func secret(_ text: String, project: String = "p1", expires: Timestamp? = nil) async throws -> String {
            let id = SystemRandomSource().uuid()
            var record = SecretRecord(id: id, projectID: project, type: "opaque", creatorID: "u", created: clock.now)
            record.contentType = "text/plain"
            record.payload = try await seal.seal(Array(text.utf8), projectID: project, secretID: id)
            record.expires = expires
            try await store.write(.relaxed) { [record] in try $0.secrets.insert(record) }
            return id
        }

        func container(_ type: String, _ members: [String: String], project: String = "p1") async throws -> String {
            let id = SystemRandomSource().uuid()
            var record = SecretContainerRecord(
                id: id, projectID: project, name: nil, type: type, creatorID: "u", created: clock.now)
            for (name, text) in members {
                record.members.append(.init(name: name, secretID: try await secret(text, project: project)))
            }
            try await store.write(.relaxed) { [record] in try $0.secrets.insertContainer(record) }
            return base + "/containers/" + id
        }

        func refusal(
            _ reference: String, password: String? = nil, project: String = "p1"
        ) async -> CertificateContainerFault? {
            await certificates.refusal(
                reference, password: password.map { base + "/secrets/" + $0 }, projectID: project)
        }

        func read(
            _ reference: String, password: String? = nil, project: String = "p1"
        ) async throws(CertificateContainerFault) -> CertificateContainer {
            try await certificates.container(
                reference, passwordReference: password.map { base + "/secrets/" + $0 }, projectID: project, token: nil)
        }
    }

    private func with(_ body: (Vault, TestChain) async throws -> Void) async throws {
        try await withTemporaryDirectory { path in
            let clock = TestClock(Timestamp(seconds: 1_600_000_000))
            let store = try SQLiteStateStore(
                path: path + "/trove.db", clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let seal = try PassphraseSeal(passphrase: Secret("x"))
            try await body(
                Vault(
                    store: store, seal: seal,
                    certificates: StoredCertificates(store: store, seal: seal, clock: clock, publicEndpoint: nil),
                    clock: clock), try TestChain(path))
            await store.close()
        }
    }

    @Test("a certificate container gives leaf and intermediates, the key, and the root as authority")
    func chain() async throws {
        try await with { vault, chain in
            let reference = try await vault.container(
                "certificate",
                [
                    "certificate": chain.leaf, "intermediates": chain.intermediate + chain.root,
                    "private_key": chain.key,
                ])
            let read = try await vault.read(reference)
            #expect(read.certificate == chain.leaf + chain.intermediate)
            #expect(read.privateKey.revealed.hasPrefix("-----BEGIN PRIVATE KEY-----"))
            #expect(read.authority == chain.root)
            let single = try await vault.container(
                "certificate", ["certificate": chain.selfSigned, "private_key": chain.selfSignedKey])
            let own = try await vault.read(single)
            #expect(own.certificate == chain.selfSigned && own.authority == chain.selfSigned)
            let rootless = try await vault.container(
                "generic", ["certificate": chain.leaf + chain.intermediate, "private_key": chain.key])
            #expect(try await vault.read(rootless).authority == nil)
            for name in ["ca", "ca_certificate"] {
                let generic = try await vault.container(
                    "generic",
                    ["certificate": chain.leaf, "private_key": chain.key, name: chain.root + chain.selfSigned])
                #expect(try await vault.read(generic).authority == chain.root + chain.selfSigned)
            }
        }
    }

    @Test("a key behind a passphrase opens with the container's, or with the one that is given")
    func passphrase() async throws {
        try await with { vault, chain in
            var members = ["certificate": chain.leaf, "private_key": chain.lockedKey]
            let bare = try await vault.container("certificate", members)
            let locked = await vault.refusal(bare)
            #expect(locked?.reason == .invalid && locked?.message.contains("password_ref") == true)
            let good = try await vault.secret(TestChain.passphrase)
            let opened = try await vault.read(bare, password: good)
            #expect(opened.privateKey.revealed.contains("BEGIN PRIVATE KEY"))
            members["private_key_passphrase"] = TestChain.passphrase
            let whole = try await vault.container("certificate", members)
            let same = try await vault.read(whole)
            #expect(same.privateKey == opened.privateKey)
            // What is given overrides what is there.
            let wrong = try await vault.secret("another one")
            let refused = await vault.refusal(whole, password: wrong)
            #expect(refused?.reason == .invalid)
            #expect(refused?.message.contains("another one") == false && refused?.message.contains("BEGIN") == false)
        }
    }

    @Test("what is no certificate with its key is invalid, and says what is wrong")
    func invalid() async throws {
        try await with { vault, chain in
            let cases: [(String, [String: String], String)] = [
                ("certificate", ["certificate": chain.leaf], "private_key"),
                ("certificate", ["private_key": chain.key], "certificate"),
                ("certificate", ["certificate": chain.leaf, "private_key": chain.selfSignedKey], "not that of"),
                ("certificate", ["certificate": "no PEM", "private_key": chain.key], "BEGIN CERTIFICATE"),
                ("certificate", ["certificate": chain.leaf, "private_key": "no PEM"], "private key in PEM"),
                ("certificate", ["certificate": String(chain.leaf.dropLast(60)), "private_key": chain.key], "PEM"),
                (
                    "certificate", ["certificate": chain.leaf, "private_key": chain.key, "intermediates": "x"],
                    "intermediates"
                ),
                ("generic", ["certificate": chain.leaf, "private_key": chain.key, "ca": "x"], "'ca'"),
                ("rsa", ["public_key": "x", "private_key": chain.key], "type 'rsa'"),
            ]
            for (type, members, word) in cases {
                let reference = try await vault.container(type, members)
                let fault = await vault.refusal(reference)
                #expect(fault?.reason == .invalid && fault?.message.contains(word) == true, "\(word): \(fault as Any)")
            }
        }
    }

    @Test("another project's is forbidden; what is not there is missing; another host's reference is invalid")
    func rights() async throws {
        try await with { vault, chain in
            let members = ["certificate": chain.leaf, "private_key": chain.key]
            let reference = try await vault.container("certificate", members)
            func reason(
                _ reference: String, project: String = "p1", password: String? = nil
            ) async -> CertificateContainerFault.Reason? {
                await vault.refusal(reference, password: password, project: project)?.reason
            }
            #expect(await reason(reference) == nil)
            #expect(await reason(reference, project: "p2") == .forbidden)
            let foreign = try await vault.secret("x", project: "p2")
            #expect(await reason(reference, password: foreign) == .forbidden)
            let expired = try await vault.secret("x", expires: vault.clock.now)
            #expect(await reason(reference, password: expired) == .missing)
            let none = SystemRandomSource().uuid()
            #expect(await reason(Self.base + "/containers/" + none) == .missing)
            for text in [
                "", none, "ftp://h/key-manager/v1/containers/\(none)", "https://h/v1/containers/\(none)",
                "https://h/key-manager/v1/secrets/\(none)", reference + "/../x", "file:///etc/passwd",
            ] {
                #expect(await reason(text) == .invalid, "\(text)")
            }
            let strict = StoredCertificates(
                store: vault.store, seal: vault.seal, clock: vault.clock, publicEndpoint: "https://db.example:8779")
            let refused = await strict.refusal(reference)
            #expect(refused?.reason == .invalid && refused?.message.contains("https://db.example:8779") == true)
        }
    }

    @Test("without the state store it is unavailable")
    func away() async throws {
        try await with { vault, chain in
            let reference = try await vault.container(
                "certificate", ["certificate": chain.leaf, "private_key": chain.key])
            await vault.store.close()
            let fault = await vault.refusal(reference)
            #expect(fault?.reason == .unavailable)
        }
    }
}
