// SPDX-License-Identifier: Apache-2.0

import KeyManager
import Model
import ObjectStore
import TestSupport
import Testing

@Suite("Sealed secrets")
struct SecretSealTests {
    private static let payload = Array("-----BEGIN PRIVATE KEY-----\nsecret needle\n".utf8)

    private func check(_ seal: any SecretSeal, _ other: any SecretSeal) async throws {
        let box = try await seal.seal(Self.payload, projectID: "p1", secretID: "s1")
        #expect(try await seal.open(box, projectID: "p1", secretID: "s1") == Self.payload)
        let bytes = try #require(Base64.decode(box))
        #expect(!String(decoding: bytes, as: UTF8.self).contains("needle"))
        #expect(try await seal.seal(Self.payload, projectID: "p1", secretID: "s1") != box, "nonces must differ")
        for (project, secret) in [("p2", "s1"), ("p1", "s2")] {
            await #expect { try await seal.open(box, projectID: project, secretID: secret) } throws: {
                ($0 as? KeyManagerError)?.code == .key
            }
        }
        await #expect { try await other.open(box, projectID: "p1", secretID: "s1") } throws: {
            ($0 as? KeyManagerError)?.code == .key
        }
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[index] ^= 1
            await #expect {
                try await seal.open(Base64.encode(changed), projectID: "p1", secretID: "s1")
            } throws: {
                $0 is KeyManagerError
            }
        }
        for wrong in ["", "AQ==", "no Base64", String(box.dropLast(4))] {
            await #expect { try await seal.open(wrong, projectID: "p1", secretID: "s1") } throws: {
                ($0 as? KeyManagerError)?.code == .key
            }
        }
        let empty = try await seal.seal([0], projectID: "p1", secretID: "s1")
        #expect(try await seal.open(empty, projectID: "p1", secretID: "s1") == [0])
    }

    @Test("with the project's key they open for their own secret and project alone")
    func projectKeys() async throws {
        try await withTemporaryDirectory { path in
            let keys = ProjectKeys(directory: path + "/keys")
            let seal = ProjectKeySeal(keys: keys, threads: TestThreads())
            let other = ProjectKeySeal(keys: ProjectKeys(directory: path + "/others"), threads: TestThreads())
            // A project with a key of its own.
            _ = try await other.seal([1], projectID: "p1", secretID: "s1")
            try await check(seal, other)
            let box = try await seal.seal(Self.payload, projectID: "p1", secretID: "s1")
            try keys.rotate(projectID: "p1")
            #expect(try await seal.open(box, projectID: "p1", secretID: "s1") == Self.payload)
        }
    }

    @Test("with a passphrase they do as well, in every process that has it")
    func passphrase() async throws {
        let seal = try PassphraseSeal(passphrase: Secret("one"))
        try await check(seal, try PassphraseSeal(passphrase: Secret("two")))
        let box = try await seal.seal(Self.payload, projectID: "p1", secretID: "s1")
        let same = try PassphraseSeal(passphrase: Secret("one"))
        #expect(try await same.open(box, projectID: "p1", secretID: "s1") == Self.payload)
    }

    @Test("an id ends a reference of its kind, and nothing else is an id")
    func references() {
        let id = "34e16b7f-0aa5-401d-b221-78d6d15282d6"
        #expect(KeyReference.id(in: "https://h/key-manager/v1/containers/\(id)", .containers) == id)
        #expect(KeyReference.id(in: "https://h/v1/secrets/\(id.uppercased())/", .secrets) == id)
        for text in [
            "", id, "https://h/v1/containers/\(id)", "https://h/v1/secrets/\(id)/payload",
            "https://h/v1/secrets/\(id)?x=1",
            "https://h/v1/secrets/../\(id)", "https://h/v1/secrets/\(id.dropLast())g", "https://h/v2/secrets/\(id)",
        ] {
            #expect(KeyReference.id(in: text, .secrets) == nil, "\(text)")
        }
    }
}
