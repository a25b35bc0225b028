// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import TestSupport
import Testing

@testable import API

@Suite("The key manager's face")
struct KeyManagerTests {
    private static let base = "http://127.0.0.1:8779/key-manager/v1"
    private static let text: JSONValue = ["name": "n", "payload": "needle", "payload_content_type": "text/plain"]

    private struct Caller {
        let fixture: APIFixture
        var token = "alice"

        func send(
            _ method: String, _ path: String, _ body: JSONValue? = nil, _ headers: [(name: String, value: String)] = []
        ) async -> APIResponse {
            var all = headers + [("x-auth-token", token)]
            if body != nil { all.append(("content-type", "application/json")) }
            let target = path.hasPrefix("http") ? String(path.dropFirst("http://127.0.0.1:8779".count)) : path
            return await fixture.raw(method, target, headers: all, text: body?.text)
        }

        func reference(_ kind: String, _ body: JSONValue) async throws -> String {
            let answer = await send("POST", "/key-manager/v1/\(kind)s", body)
            try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
            let reference = try #require(try JSONValue(parsing: answer.body)["\(kind)_ref"]?.stringValue)
            #expect(answer.header("location") == reference)
            return reference
        }

        func document(_ path: String) async throws -> JSONValue {
            let answer = await send("GET", path)
            #expect(answer.status == 200, "\(path)")
            return try JSONValue(parsing: answer.body)
        }
    }

    /// Whether an answer is an error of the key manager's form.
    private func isFault(_ answer: APIResponse, _ status: Int, _ word: String = "") -> Bool {
        guard let document = try? JSONValue(parsing: answer.body) else { return false }
        return answer.status == status && document["code"]?.intValue == status
            && document["title"]?.stringValue?.isEmpty == false
            && document["description"]?.stringValue?.contains(word) == true
    }

    @Test("versions are told without a token, everything else needs one")
    func versions() async throws {
        try await withAPI { fixture in
            let list = await fixture.raw("GET", "/key-manager")
            #expect(list.status == 300)
            let version = try JSONValue(parsing: list.body)["versions"]?["values"]?[0]
            #expect(version?["id"] == "v1" && version?["status"] == "stable")
            #expect(version?["links"]?[0]?["href"]?.stringValue?.hasSuffix("/key-manager/v1/") == true)
            #expect(await fixture.raw("GET", "/key-manager/v1/").status == 200)
            #expect(isFault(await fixture.raw("POST", "/key-manager/v1"), 405))
            let refused = await fixture.raw("GET", "/key-manager/v1/secrets")
            #expect(isFault(refused, 401) && refused.header("www-authenticate")?.contains("/identity") == true)
            #expect(
                isFault(await Caller(fixture: fixture, token: "nobody").send("GET", "/key-manager/v1/secrets"), 403))
            let later = await Caller(fixture: fixture, token: "later").send("GET", "/key-manager/v1/secrets")
            #expect(isFault(later, 503) && later.header("retry-after") != nil)
        }
    }

    @Test("a secret is stored sealed, shown without its payload, read, and gone")
    func life() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            let reference = try await alice.reference("secret", Self.text)
            #expect(reference.hasPrefix(Self.base + "/secrets/"))
            let shown = try await alice.document(reference)
            #expect(shown["name"] == "n" && shown["status"] == "ACTIVE" && shown["secret_type"] == "opaque")
            #expect(shown["content_types"] == ["default": "text/plain"] && shown["secret_ref"] == .string(reference))
            #expect(shown["payload"] == nil && shown["creator_id"] == "user-alice" && shown["expiration"] == .null)
            let id = String(reference.suffix(36))
            let stored = try await fixture.store.read { try $0.secrets.find(id) }
            #expect(stored?.payload?.contains("needle") == false)
            let bytes = Base64.decode(stored?.payload ?? "") ?? []
            #expect(bytes.count > 30 && !String(decoding: bytes, as: UTF8.self).contains("needle"))
            let types: [(String?, String)] = [
                (nil, "text/plain; charset=UTF-8"), ("*/*", "text/plain; charset=UTF-8"),
                ("text/plain", "text/plain; charset=UTF-8"), ("application/octet-stream", "application/octet-stream"),
            ]
            for (accept, type) in types {
                let answer = await alice.send(
                    "GET", reference + "/payload", nil, accept.map { [("accept", $0)] } ?? [])
                #expect(answer.status == 200 && String(decoding: answer.body, as: UTF8.self) == "needle")
                #expect(answer.contentType == type && answer.header("cache-control") == "no-store")
            }
            #expect(isFault(await alice.send("GET", reference + "/payload", nil, [("accept", "image/png")]), 406))
            #expect(await alice.send("GET", reference, nil, [("accept", "text/plain")]).body == Array("needle".utf8))
            #expect(
                isFault(await alice.send("PUT", reference, nil, [("content-type", "text/plain")]), 400, "non empty"))
            #expect(await alice.send("DELETE", reference).status == 204)
            #expect(isFault(await alice.send("GET", reference), 404, "Secret not found"))
            #expect(isFault(await alice.send("DELETE", reference), 404))
        }
    }

    @Test("bytes go in as Base64, later, or not at all")
    func bytes() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            let reference = try await alice.reference(
                "secret",
                [
                    "payload": "AAEC/w==", "payload_content_type": "application/octet-stream",
                    "payload_content_encoding": "base64", "secret_type": "symmetric", "algorithm": "aes", "mode": "cbc",
                    "bit_length": 32, "expiration": "2099-01-01T00:00:00+02:00",
                ])
            #expect(await alice.send("GET", reference + "/payload").body == [0, 1, 2, 255])
            #expect(isFault(await alice.send("GET", reference + "/payload", nil, [("accept", "text/plain")]), 406))
            let shown = try await alice.document(reference)
            #expect(shown["bit_length"] == 32 && shown["mode"] == "cbc" && shown["expiration"] == "2098-12-31T22:00:00")
            let empty = try await alice.reference("secret", [:])
            #expect(try await alice.document(empty)["content_types"] == nil)
            #expect(isFault(await alice.send("GET", empty + "/payload"), 404, "no payload"))
            func put(_ text: String, _ headers: [(name: String, value: String)]) async -> APIResponse {
                await fixture.raw(
                    "PUT", "/key-manager/v1/secrets/\(empty.suffix(36))",
                    headers: headers + [("x-auth-token", "alice")],
                    text: text)
            }
            #expect(isFault(await put("x", [("content-type", "application/json")]), 400, "content type"))
            #expect(isFault(await put("x", [("content-type", "text/plain"), ("content-encoding", "base64")]), 400))
            let filled = await put(
                "aGVs\nbG8=", [("content-type", "application/octet-stream"), ("content-encoding", "base64")])
            #expect(filled.status == 204)
            #expect(isFault(await put("x", [("content-type", "text/plain")]), 409, "already has data"))
            #expect(await alice.send("GET", empty + "/payload").body == Array("hello".utf8))
        }
    }

    @Test("what a secret may not be is refused, naming the member")
    func badSecrets() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            let binary = "application/octet-stream"
            let cases: [(JSONValue, Int, String)] = [
                ([1], 400, "object"), (["name": 1], 400, "name"),
                (["name": .string(String(repeating: "x", count: 256))], 400, "name"),
                (["payload": "x"], 400, "payload_content_type"),
                (["payload_content_type": "text/plain"], 400, "payload"),
                (["payload": "", "payload_content_type": "text/plain"], 400, "non empty"),
                (["payload": " \n", "payload_content_type": "text/plain"], 400, "non empty"),
                (["payload": 1, "payload_content_type": "text/plain"], 400, "payload"),
                (["payload": "x", "payload_content_type": "image/png"], 400, "content type"),
                (["payload": "x", "payload_content_type": "text/plain;charset=latin1"], 400, "content type"),
                (["payload": "x", "payload_content_type": .string(binary)], 400, "payload_content_encoding"),
                (
                    [
                        "payload": "%%%", "payload_content_type": .string(binary), "payload_content_encoding": "base64",
                    ], 400, "Base64"
                ),
                (
                    ["payload": "eA==", "payload_content_type": "text/plain", "payload_content_encoding": "base64"],
                    400,
                    "payload_content_encoding"
                ),
                (["secret_type": "nonsense"], 400, "secret_type"), (["bit_length": 0], 400, "bit_length"),
                (["bit_length": "8"], 400, "bit_length"), (["expiration": "tomorrow"], 400, "expiration"),
                (["expiration": "2099-02-30T00:00:00"], 400, "expiration"),
                (["expiration": "1999-01-01T00:00:00"], 400, "before current time"),
                (["name": "a\u{0}b"], 400, "name"),
                (
                    ["payload": .string(String(repeating: "x", count: 20_001)), "payload_content_type": "text/plain"],
                    413,
                    "20000"
                ),
            ]
            for (body, status, word) in cases {
                let answer = await alice.send("POST", "/key-manager/v1/secrets", body)
                #expect(isFault(answer, status, word), "\(word): \(String(decoding: answer.body, as: UTF8.self))")
            }
            let largest: JSONValue = [
                "payload": .string(String(repeating: "\u{1}", count: 19_999) + "x"),
                "payload_content_type": "text/plain",
            ]
            #expect(await alice.send("POST", "/key-manager/v1/secrets", largest).status == 201)
            for text in ["{", "nonsense", "\u{FEFF}{}", ""] {
                let answer = await fixture.raw(
                    "POST", "/key-manager/v1/secrets",
                    headers: [("x-auth-token", "alice"), ("content-type", "application/json")], text: text)
                #expect(isFault(answer, 400, "Malformed JSON"))
            }
            let huge = String(repeating: " ", count: 200 << 10)
            let large = await fixture.raw(
                "POST", "/key-manager/v1/secrets",
                headers: [("x-auth-token", "alice"), ("content-type", "application/json")], text: huge)
            #expect(isFault(large, 413))
            let typeless = await fixture.raw(
                "POST", "/key-manager/v1/secrets", headers: [("x-auth-token", "alice")], text: "{}")
            #expect(isFault(typeless, 415))
        }
    }

    @Test("nobody but the project's callers and administrators comes near a secret or a container")
    func rights() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            let (bob, admin) = (Caller(fixture: fixture, token: "bob"), Caller(fixture: fixture, token: "admin"))
            let secret = try await alice.reference("secret", Self.text)
            let container = try await alice.reference(
                "container", ["type": "generic", "secret_refs": [["name": "a", "secret_ref": .string(secret)]]])
            for (method, path) in [
                ("GET", secret), ("GET", secret + "/payload"), ("DELETE", secret), ("GET", container),
                ("DELETE", container),
            ] {
                #expect(isFault(await bob.send(method, path), 403), "\(method) \(path)")
            }
            let put = await bob.fixture.raw(
                "PUT", String(secret.dropFirst("http://127.0.0.1:8779".count)),
                headers: [("x-auth-token", "bob"), ("content-type", "text/plain")], text: "x")
            #expect(isFault(put, 403))
            for kind in ["secrets", "containers"] {
                #expect(
                    try await bob.document("/key-manager/v1/\(kind)") == [kind: [], "total": 0])
            }
            let stolen: JSONValue = ["type": "generic", "secret_refs": [["name": "a", "secret_ref": .string(secret)]]]
            #expect(isFault(await bob.send("POST", "/key-manager/v1/containers", stolen), 404, "'a' doesn't exist"))
            #expect(await admin.send("GET", secret + "/payload").body == Array("needle".utf8))
            #expect(await admin.send("GET", container).status == 200)
        }
    }

    @Test("a container has its secrets by name, checked by its type")
    func containers() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            var secrets: [String] = []
            for _ in 0..<2 { secrets.append(try await alice.reference("secret", Self.text)) }
            func member(_ name: String, _ reference: String) -> JSONValue {
                ["name": .string(name), "secret_ref": .string(reference)]
            }
            let members = [member("certificate", secrets[0]), member("private_key", secrets[1])]
            let reference = try await alice.reference(
                "container", ["name": "c", "type": "certificate", "secret_refs": .array(members)])
            let shown = try await alice.document(reference)
            #expect(shown["type"] == "certificate" && shown["name"] == "c" && shown["consumers"] == [])
            #expect(shown["secret_refs"]?.arrayValue == members && shown["container_ref"] == .string(reference))
            let none = Self.base + "/secrets/00000000-0000-4000-8000-000000000000"
            let cases: [(JSONValue, Int, String)] = [
                ([:], 400, "type"), (["type": "nonsense"], 400, "type"),
                (["type": "generic", "secret_refs": "x"], 400, "array"),
                (["type": "generic", "secret_refs": ["x"]], 400, "object"),
                (["type": "generic", "secret_refs": [["name": "a"]]], 400, "secret_ref"),
                (
                    ["type": "generic", "secret_refs": [member("a", "http://evil/v1/secrets/" + none.suffix(36))]], 400,
                    "secret_ref"
                ),
                (["type": "generic", "secret_refs": [member("a", none)]], 404, "'a'"),
                (
                    ["type": "generic", "secret_refs": [members[0], member("certificate", secrets[1])]], 400,
                    "duplicate names"
                ),
                (["type": "generic", "secret_refs": [members[0], member("b", secrets[0])]], 400, "duplicate secrets"),
                (["type": "certificate", "secret_refs": [members[1]]], 400, "'certificate'"),
                (["type": "certificate", "secret_refs": [members[0], member("x", secrets[1])]], 400, "'x'"),
                (["type": "rsa", "secret_refs": [members[1]]], 400, "'public_key'"),
            ]
            for (body, status, word) in cases {
                let answer = await alice.send("POST", "/key-manager/v1/containers", body)
                #expect(isFault(answer, status, word), "\(body.text): \(String(decoding: answer.body, as: UTF8.self))")
            }
            #expect(await alice.send("DELETE", secrets[1]).status == 204)
            #expect(try await alice.document(reference)["secret_refs"]?.arrayValue == [members[0]])
            #expect(await alice.send("DELETE", reference).status == 204)
            #expect(isFault(await alice.send("GET", reference), 404))
            #expect(isFault(await alice.send("DELETE", reference), 404))
        }
    }

    @Test("lists have pages, names and a total; a filter that is not served is refused")
    func lists() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            for number in 0..<12 {
                _ = try await alice.reference("secret", ["name": .string("s\(number % 2)")])
                fixture.clock.advance(by: .seconds(1))
            }
            let first = try await alice.document("/key-manager/v1/secrets")
            #expect(first["secrets"]?.arrayValue?.count == 10 && first["total"] == 12)
            let next = try #require(first["next"]?.stringValue)
            #expect(next == Self.base + "/secrets?limit=10&offset=10")
            let second = try await alice.document(next)
            #expect(second["secrets"]?.arrayValue?.count == 2 && second["next"] == nil)
            #expect(second["previous"]?.stringValue == Self.base + "/secrets?limit=10&offset=0")
            let named = try await alice.document("/key-manager/v1/secrets/?name=s1&limit=4&offset=4")
            #expect(named["secrets"]?.arrayValue?.count == 2 && named["total"] == 6)
            #expect(named["previous"]?.stringValue == Self.base + "/secrets?limit=4&offset=0&name=s1")
            for query in [
                "limit=x&offset=-5", "limit=99999999999999999999", "offset=99999999999999999999", "%zz=%zz&=&",
            ] {
                #expect(await alice.send("GET", "/key-manager/v1/secrets?" + query).status == 200, "\(query)")
            }
            #expect(try await alice.document("/key-manager/v1/secrets?limit=0")["secrets"]?.arrayValue?.count == 1)
            #expect(isFault(await alice.send("GET", "/key-manager/v1/secrets?sort=name"), 400, "'sort'"))
            #expect(try await alice.document("/key-manager/v1/secrets?alg=aes")["total"] == 0)
            for type in ["generic", "certificate"] {
                _ = try await alice.reference("container", ["type": .string(type)])
            }
            let containers = try await alice.document("/key-manager/v1/containers?type=generic")
            #expect(containers["total"] == 1 && containers["containers"]?[0]?["type"] == "generic")
        }
    }

    @Test("a project has so many secrets and no more; what expires makes room")
    func limit() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            let until = ISOTime.text(fixture.clock.now + .seconds(60))
            for _ in 0..<20 { _ = try await alice.reference("secret", ["name": "x", "expiration": .string(until)]) }
            #expect(isFault(await alice.send("POST", "/key-manager/v1/secrets", [:]), 403, "Quota reached"))
            #expect(
                await Caller(fixture: fixture, token: "bob").send("POST", "/key-manager/v1/secrets", [:]).status == 201)
            let reference = try await alice.document("/key-manager/v1/secrets?limit=1")["secrets"]?[0]?["secret_ref"]
            fixture.clock.advance(by: .seconds(60))
            #expect(isFault(await alice.send("GET", try #require(reference?.stringValue)), 404))
            #expect(await alice.send("POST", "/key-manager/v1/secrets", [:]).status == 201)
        }
    }

    @Test("paths that are none, and methods that are not theirs")
    func paths() async throws {
        try await withAPI { fixture in
            let alice = Caller(fixture: fixture)
            let id = "00000000-0000-4000-8000-000000000000"
            for path in [
                "/key-manager/v1/nonsense", "/key-manager/v2/secrets", "/key-manager/v1/secrets/..%2f..%2fetc",
                "/key-manager/v1/secrets/../\(id)", "/key-manager/v1/secrets/nope", "/key-manager/v1/secrets/\(id)/acl",
                "/key-manager/v1/secrets/\(id)/payload/x", "/key-manager/v1/containers/\(id)/payload",
                "/key-manager/v1/secrets/%00", "/key-manager/v1/secrets/\(id)%00", "/key-manager//secrets",
                "/key-manager/x",
            ] {
                #expect(isFault(await alice.send("GET", path), 404), "\(path)")
            }
            for (method, path) in [
                ("PATCH", "secrets"), ("DELETE", "secrets"), ("POST", "secrets/\(id)"), ("PUT", "containers/\(id)"),
                ("POST", "secrets/\(id)/payload"), ("HEAD", "secrets"),
            ] {
                #expect(isFault(await alice.send(method, "/key-manager/v1/" + path), 405), "\(method) \(path)")
            }
        }
    }

    @Test("times are read as ISO 8601 has them")
    func times() {
        let cases = [
            ("1970-01-02", 86_400), ("2000-02-29T12:34:56Z", 951_827_696), ("2000-02-29 12:34", 951_827_640),
            ("2030-01-01T00:00:00+02:00", 1_893_448_800), ("2030-01-01T00:00:00-0130", 1_893_461_400),
        ]
        for (text, seconds) in cases { #expect(ISOTime.parse(text) == Timestamp(seconds: Double(seconds)), "\(text)") }
        #expect(ISOTime.parse("1970-01-01T00:00:00.25")?.microseconds == 250_000)
        #expect(ISOTime.text(Timestamp(microseconds: 1_000_042)) == "1970-01-01T00:00:01.000042")
        for text in ["", "x", "2001-02-29", "2001-13-01", "2001-01-01T25:00:00", "2001-01-01T00:00:00+", "１９７０-01-01"] {
            #expect(ISOTime.parse(text) == nil, "\(text)")
        }
    }
}
