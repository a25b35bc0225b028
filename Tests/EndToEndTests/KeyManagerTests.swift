// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// The key manager inside the control plane, as the unmodified client of Barbican uses it.
    @Suite("Key manager", .serialized)
    struct KeyManagerTests {
        private static let needle = "needle-4711"

        @Test("the client stores, lists, reads, updates and deletes secrets and containers", .timeLimit(.minutes(5)))
        func client() async throws {
            try await ControlPlane.with { plane in
                let text = try await store(plane, ["--name", "greeting", "--payload", Self.needle])
                #expect(text.hasPrefix(plane.url + "/key-manager/v1/secrets/"))
                #expect(try await payload(plane, text) == Self.needle)
                let shown = try await plane.openstack("secret", "get", text, "-f", "json")
                #expect(shown["Name"] == "greeting" && shown["Secret type"] == "opaque" && shown["Status"] == "ACTIVE")
                #expect(shown["Content types"] == ["default": "text/plain"])

                // A file goes in as bytes, and comes out as it was.
                let folder = FileManager.default.temporaryDirectory.path + "/keys-" + UUID().uuidString
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let bytes = Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
                try bytes.write(to: URL(fileURLWithPath: folder + "/in"))
                let binary = try await store(plane, ["--name", "bytes", "--file", folder + "/in"])
                try await plane.openstack(
                    "secret", "get", binary, "--file", folder + "/out", "-t", "application/octet-stream")
                #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/out")) == bytes)

                let later = try await store(plane, ["--name", "later"])
                try await plane.openstack("secret", "update", later, "now")
                #expect(try await payload(plane, later) == "now")

                let list = try await plane.openstack("secret", "list", "-f", "json", "--limit", "2", "--offset", "1")
                #expect(list.arrayValue?.map { $0["Name"] } == ["bytes", "later"])
                let named = try await plane.openstack("secret", "list", "-f", "json", "--name", "later")
                #expect(named.arrayValue?.map { $0["Secret href"]?.stringValue } == [later])

                let container = try await plane.openstack(
                    "secret", "container", "create", "--name", "pair", "--type", "certificate", "--secret",
                    "certificate=" + text, "--secret", "private_key=" + binary, "-f", "json")
                let reference = try #require(container["Container href"]?.stringValue)
                let read = try await plane.openstack("secret", "container", "get", reference, "-f", "json")
                #expect(read["Type"] == "certificate" && read["Name"] == "pair" && read.text.contains(text))
                #expect(read.text.contains(binary))
                let containers = try await plane.openstack("secret", "container", "list", "-f", "json")
                #expect(containers.arrayValue?.map { $0["Container href"]?.stringValue } == [reference])
                try await plane.openstack("secret", "container", "delete", reference)
                for secret in [text, binary, later] { try await plane.openstack("secret", "delete", secret) }
                #expect(try await plane.openstack("secret", "list", "-f", "json") == [])
                #expect(try await plane.openstack("secret", "container", "list", "-f", "json") == [])
            }
        }

        @Test(
            "payloads outlive a restart, are sealed where they are kept, and are nobody else's", .timeLimit(.minutes(5))
        )
        func kept() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let secret = try await make(client, "secrets", ["payload": .string(Self.needle), "name": "kept"])
                let container = try await make(
                    client, "containers",
                    ["type": "generic", "secret_refs": [["name": "a", "secret_ref": .string(secret)]]])
                try await plane.kill9()
                try await plane.start()
                let again = try await RESTClient.login(plane)
                let answer = try await RESTClient.send("GET", secret + "/payload", nil, token: again.token)
                #expect(answer.status == 406, "the client accepts JSON alone")
                #expect(try await payload(plane, secret) == Self.needle)
                #expect(try await RESTClient.send("GET", container, nil, token: again.token).status == 200)

                let administrator = try await RESTClient.login(plane, asAdministrator: true)
                #expect(try await RESTClient.send("GET", secret, nil, token: administrator.token).status == 200)
                let other = try await OperatorTests.stranger(plane)
                for (method, url) in [
                    ("GET", secret), ("GET", secret + "/payload"), ("DELETE", secret), ("GET", container),
                    ("DELETE", container),
                ] {
                    let refused = try await RESTClient.send(method, url, nil, token: other.token)
                    #expect(refused.status == 403 && refused.body?["title"] == "Forbidden", "\(method) \(url)")
                    #expect(try await RESTClient.send(method, url, nil, token: nil).status == 401)
                }
                #expect(!plane.logTail(10_000).contains(Self.needle))
                if let space = plane.space {
                    #expect(try await space.sql("SELECT payload FROM secrets").contains(Self.needle) == false)
                } else {
                    for name in try FileManager.default.subpathsOfDirectory(atPath: plane.home) {
                        let data = FileManager.default.contents(atPath: plane.home + "/" + name) ?? Data()
                        #expect(data.range(of: Data(Self.needle.utf8)) == nil, "\(name)")
                    }
                }
            }
        }

        @Test("with a key manager elsewhere there is none inside", .timeLimit(.minutes(2)))
        func elsewhere() async throws {
            let address = "http://127.0.0.1:9"
            try await ControlPlane.with(environment: ["TROVE_KEY_MANAGER_ENDPOINT": address]) { plane in
                let client = try await RESTClient.login(plane)
                let answer = try await RESTClient.send(
                    "GET", plane.url + "/key-manager/v1/secrets", nil, token: client.token)
                #expect(answer.status == 404 && answer.body?["title"] == "Not Found")
                guard plane.space == nil else { return }
                let catalogue = try await plane.openstack("catalog", "show", "key-manager", "-f", "json")
                #expect(catalogue.text.contains(address))
            }
        }

        private func store(_ plane: ControlPlane, _ words: [String]) async throws -> String {
            let answer = try await plane.openstack(["secret", "store", "-f", "json"] + words)
            return try #require(answer["Secret href"]?.stringValue)
        }

        private func payload(_ plane: ControlPlane, _ reference: String) async throws -> String? {
            try await plane.openstack("secret", "get", reference, "--payload", "-f", "json")["Payload"]?.stringValue
        }

        private func make(
            _ client: RESTClient, _ kind: String, _ members: [String: JSONValue]
        ) async throws -> String {
            var body = members
            if body["payload"] != nil { body["payload_content_type"] = "text/plain" }
            let answer = try await RESTClient.send(
                "POST", client.url + "/key-manager/v1/" + kind, .object(body), token: client.token)
            let name = kind.dropLast() + "_ref"
            return try #require(
                answer.body?[String(name)]?.stringValue,
                "\(answer.status) \(String(decoding: answer.bytes, as: UTF8.self))")
        }
    }
}
