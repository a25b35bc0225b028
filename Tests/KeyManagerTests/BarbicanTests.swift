// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManager
import Model
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Against a real Barbican with a real Keystone.
@Suite("Certificates of a Barbican", .serialized)
struct BarbicanTests {
    private struct Fixture: Sendable {
        let nodes: Nodes
        let url: String

        init(tls: Bool = false) throws {
            nodes = try Nodes.shared([.keystone, .barbican], tls: tls)
            url = try nodes.text("barbican", "url")
        }

        func token(_ user: String) async throws -> String {
            let body: JSONValue = [
                "auth": [
                    "identity": [
                        "methods": ["password"],
                        "password": [
                            "user": [
                                "name": .string(user), "domain": ["id": "default"],
                                "password": .string(try nodes.password("keystone", user)),
                            ]
                        ],
                    ],
                    "scope": [
                        "project": [
                            "name": .string(try nodes.text("keystone", user, "project")), "domain": ["id": "default"],
                        ]
                    ],
                ]
            ]
            let (_, headers) = try await post(try nodes.text("keystone", "url") + "/auth/tokens", body, token: nil)
            return try #require(headers["x-subject-token"])
        }

        func post(
            _ address: String, _ body: JSONValue, token: String?
        ) async throws -> (JSONValue, [String: String]) {
            var request = URLRequest(url: try #require(URL(string: address)))
            request.httpMethod = "POST"
            request.httpBody = Data(body.serialized)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            if let token { request.setValue(token, forHTTPHeaderField: "X-Auth-Token") }
            let (data, response) = try await URLSession.shared.data(for: request)
            let answer = try #require(response as? HTTPURLResponse)
            try #require(answer.statusCode == 201, "\(address): \(String(decoding: data, as: UTF8.self))")
            var headers: [String: String] = [:]
            for (name, value) in answer.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
            return (try JSONValue(parsing: data), headers)
        }

        func secret(_ payload: String, token: String, isBinary: Bool = false) async throws -> String {
            var body: [String: JSONValue] = ["payload_content_type": "text/plain", "payload": .string(payload)]
            if isBinary {
                body = [
                    "payload_content_type": "application/octet-stream", "payload_content_encoding": "base64",
                    "payload": .string(Base64.encode(Array(payload.utf8))),
                ]
            }
            let (answer, _) = try await post(url + "/v1/secrets", .object(body), token: token)
            return try #require(answer["secret_ref"]?.stringValue)
        }

        func container(
            _ type: String, _ members: [String: String], token: String, binary: Set<String> = []
        ) async throws -> String {
            var references: [JSONValue] = []
            for (name, payload) in members {
                let reference = try await secret(payload, token: token, isBinary: binary.contains(name))
                references.append(["name": .string(name), "secret_ref": .string(reference)])
            }
            let body: JSONValue = ["name": "t", "type": .string(type), "secret_refs": .array(references)]
            let (answer, _) = try await post(url + "/v1/containers", body, token: token)
            return try #require(answer["container_ref"]?.stringValue)
        }

        func client(
            _ endpoint: String? = nil, publicEndpoint: String? = nil, caFile: String? = nil,
            timeout: Duration = .seconds(10)
        ) throws -> BarbicanCertificates {
            try BarbicanCertificates(
                BarbicanConfiguration(
                    endpoint: endpoint ?? url, publicEndpoint: publicEndpoint, caFile: caFile, timeout: timeout),
                threads: TestThreads())
        }
    }

    private func read(
        _ client: BarbicanCertificates, _ reference: String, password: String? = nil, token: String?
    ) async throws(CertificateContainerFault) -> CertificateContainer {
        try await client.container(reference, passwordReference: password, projectID: "unused", token: token)
    }

    private func reason(
        _ client: BarbicanCertificates, _ reference: String, password: String? = nil, token: String?
    ) async -> CertificateContainerFault.Reason? {
        await client.refusal(reference, password: password, token: token)?.reason
    }

    @Test("a container is read with its owner's token, text or bytes, the key without its passphrase")
    func containers() async throws {
        let fixture = try Fixture()
        let token = try await fixture.token("demo")
        try await withTemporaryDirectory { path in
            let chain = try TestChain(path)
            let reference = try await fixture.container(
                "certificate",
                [
                    "certificate": chain.leaf, "intermediates": chain.intermediate + chain.root,
                    "private_key": chain.lockedKey, "private_key_passphrase": TestChain.passphrase,
                ], token: token, binary: ["certificate", "private_key"])
            let client = try fixture.client()
            let container = try await read(client, reference, token: token)
            #expect(container.certificate == chain.leaf + chain.intermediate)
            #expect(container.privateKey.revealed.hasPrefix("-----BEGIN PRIVATE KEY-----"))
            #expect(container.authority == chain.root)
            // A reference with a slash at its end, and an endpoint that names its version.
            #expect(await reason(client, reference + "/", token: token) == nil)
            let versioned = try fixture.client(fixture.url + "/v1/")
            #expect(await reason(versioned, reference, token: token) == nil)

            let generic = try await fixture.container(
                "generic", ["certificate": chain.leaf, "private_key": chain.lockedKey, "ca": chain.root], token: token)
            #expect(await reason(client, generic, token: token) == .invalid)
            let password = try await fixture.secret(TestChain.passphrase, token: token)
            let opened = try await read(client, generic, password: password, token: token)
            #expect(opened.authority == chain.root && opened.privateKey == container.privateKey)
        }
    }

    @Test("another project's token is forbidden, as is a bad one and none; what is not there is missing")
    func rights() async throws {
        let fixture = try Fixture()
        let (token, other) = (try await fixture.token("demo"), try await fixture.token("other"))
        try await withTemporaryDirectory { path in
            let chain = try TestChain(path)
            let reference = try await fixture.container(
                "certificate", ["certificate": chain.leaf, "private_key": chain.key], token: token)
            let client = try fixture.client()
            #expect(await reason(client, reference, token: token) == nil)
            #expect(await reason(client, reference, token: other) == .forbidden)
            #expect(await reason(client, reference, token: "no token") == .forbidden)
            #expect(await reason(client, reference, token: "two\r\nlines") == .forbidden)
            #expect(await reason(client, reference, token: nil) == .forbidden)
            let foreign = try await fixture.secret("x", token: other)
            #expect(await reason(client, reference, password: foreign, token: token) == .forbidden)
            let none = fixture.url + "/v1/containers/" + SystemRandomSource().uuid()
            #expect(await reason(client, none, token: token) == .missing)
        }
    }

    @Test("no other host, path or scheme is asked, whatever a reference says")
    func otherHosts() async throws {
        let fixture = try Fixture()
        let token = try await fixture.token("demo")
        // Whoever connects here was led astray.
        let trap = try WebTrap()
        let id = SystemRandomSource().uuid()
        let client = try fixture.client()
        for reference in [
            "http://127.0.0.1:\(trap.port)/v1/containers/\(id)", "http://127.0.0.1/v1/containers/\(id)",
            fixture.url.replacingOccurrences(of: "127.0.0.1", with: "localhost") + "/v1/containers/\(id)",
            fixture.url.replacingOccurrences(of: "http:", with: "https:") + "/v1/containers/\(id)",
            fixture.url.replacingOccurrences(of: "://", with: "://user:pass@") + "/v1/containers/\(id)",
            fixture.url + "@127.0.0.1:\(trap.port)/v1/containers/\(id)", fixture.url + "/v1/secrets/\(id)",
            fixture.url + "/v1/../v3/containers/\(id)", fixture.url + "/v1/containers/\(id)/consumers",
            fixture.url + "/elsewhere/v1/containers/\(id)", fixture.url + "/v1/containers/\(id)?x=1",
            "file:///etc/passwd",
            id, "",
        ] {
            #expect(await reason(client, reference, token: token) == .invalid, "\(reference)")
        }
        #expect(!trap.wasReached)
        // References with the public address are asked at the endpoint.
        let named = try fixture.client(publicEndpoint: "https://keys.example/key-manager")
        let reference = "https://keys.example/key-manager/v1/containers/\(id)"
        #expect(await reason(named, reference, token: token) == .missing)
        #expect(await reason(named, "https://keys.example/v1/containers/\(id)", token: token) == .invalid)
    }

    @Test("over TLS it is trusted by its authority alone", .timeLimit(.minutes(2)))
    func tls() async throws {
        let fixture = try Fixture(tls: true)
        let id = SystemRandomSource().uuid()
        let reference = fixture.url + "/v1/containers/\(id)"
        let trusting = try fixture.client(caFile: try fixture.nodes.text("ca_file"))
        // It was asked: it does not know the token.
        #expect(await reason(trusting, reference, token: "x") == .forbidden)
        let strange = try fixture.client()
        #expect(await reason(strange, reference, token: "x") == .unavailable)
    }

    @Test("frozen or gone it is unavailable, within its time, and then it goes on", .timeLimit(.minutes(2)))
    func away() async throws {
        let fixture = try Fixture()
        let token = try await fixture.token("demo")
        let reference = fixture.url + "/v1/containers/\(SystemRandomSource().uuid())"
        let client = try fixture.client(timeout: .seconds(1))
        #expect(await reason(client, reference, token: token) == .missing)
        defer { try? fixture.nodes.heal() }
        try fixture.nodes.freeze(.barbican)
        let clock = ContinuousClock()
        let time = await clock.measure { #expect(await reason(client, reference, token: token) == .unavailable) }
        #expect(time < .seconds(3))
        try fixture.nodes.thaw(.barbican)
        try fixture.nodes.kill(.barbican)
        #expect(await reason(client, reference, token: token) == .unavailable)
        try fixture.nodes.start(.barbican)
        let patient = try fixture.client()
        #expect(await reason(patient, reference, token: token) == .missing)
    }

    @Test("an endpoint that is none is refused at the start")
    func endpoints() {
        for text in ["", "ftp://h", "http://", "http://user@h"] {
            #expect(throws: CertificateContainerFault.self, "\(text)") {
                try BarbicanCertificates(BarbicanConfiguration(endpoint: text), threads: TestThreads())
            }
        }
    }
}

/// A listening socket that nobody should come to.
private final class WebTrap: @unchecked Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(bound)
        port = address.sin_port.bigEndian
    }

    deinit { close(descriptor) }

    /// Whether a connection waits.
    var wasReached: Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 50) > 0
    }
}
