// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// What is wrong in a request costs that request the contract's fault, and nothing else.
    @Suite("Bad requests", .serialized)
    struct BadRequestTests {
        @Test("each gets the contract's status and key, and nothing is left behind", .timeLimit(.minutes(5)))
        func requests() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                try await bodies(plane, client)
                try await values(plane, client)
                try await paths(plane, client)
                try await heads(plane, client)
                try await otherProjects(plane, client)
                try await unchanged(client)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
                let again = try await client.create(name: "after")
                try await client.wait(again, for: "ACTIVE")
                try await client.delete(again)
            }
        }

        private func unchanged(_ client: RESTClient) async throws {
            #expect(try await client.must("GET", "/instances")["instances"] == [])
            #expect(try await client.must("GET", "/backups")["backups"] == [])
        }

        // MARK: Bodies

        private struct Expected {
            var status: Int
            var key: String
            var sentence: String

            init(_ status: Int, _ key: String, _ sentence: String) {
                (self.status, self.key, self.sentence) = (status, key, sentence)
            }

            static func malformed(_ text: String) -> Expected {
                Expected(400, "badRequest", "Malformed request body: \(text)")
            }
            static func invalid(_ text: String) -> Expected { Expected(400, "badRequest", "Validation error: \(text)") }
            static func refused(_ text: String) -> Expected { Expected(400, "badRequest", text) }
        }

        private func expect(_ answer: RawHTTP.Answer, _ wanted: Expected, _ what: String) {
            #expect(answer.status == wanted.status, "\(what): \(answer.text.prefix(600))")
            #expect(answer.fault.key == wanted.key, "\(what): \(answer.text.prefix(600))")
            #expect(answer.fault.message.contains(wanted.sentence), "\(what): \(answer.text.prefix(600))")
        }

        private func bodies(_ plane: ControlPlane, _ client: RESTClient) async throws {
            let cases: [([UInt8], Expected)] = [
                (Array(#"{"instance":"#.utf8), .malformed("unexpected end")),
                (Array(#"{"instance":{}} x"#.utf8), .malformed("unexpected bytes after the value")),
                (Array(#"{"instance":{"name":"a","name":"b"}}"#.utf8), .malformed("duplicate key")),
                (Array(repeating: UInt8(ascii: "["), count: 100_000), .malformed("nested deeper than 64 levels")),
                (
                    Array(#"{"instance":{"name":""#.utf8) + [0xFF, 0xFE] + Array(#""}}"#.utf8),
                    .malformed("invalid UTF-8")
                ),
                (Array(#"{"instance":{"name":"\ud800"}}"#.utf8), .malformed("lone surrogate")),
                (Array(#"{"instance":NaN}"#.utf8), .malformed("unexpected byte")),
                (Array(#"{"instance":{"flavorRef":1e999}}"#.utf8), .malformed("number out of range")),
                (Array("{}".utf8), .invalid("'instance' is a required property")),
                (Array("[]".utf8), .invalid("[] is not of type 'object'")),
                (Array("null".utf8), .invalid("None is not of type 'object'")),
                (Array(#"{"instnce":{}}"#.utf8), .invalid("'instance' is a required property")),
                (Array(#"{"instance":[]}"#.utf8), .invalid("instance [] is not of type 'object'")),
                (Array(#"{"instance":{"name":"a\u0000b"}}"#.utf8), .invalid("a text of the request body has")),
                ([], .refused("needs a JSON body")),
            ]
            for (body, wanted) in cases {
                let answer = try await post(plane, client, "/instances", body)
                expect(answer, wanted, String(decoding: body.prefix(60), as: UTF8.self))
            }
            let sound = RESTClient.createBody(name: "x").serialized
            expect(
                try await post(plane, client, "/instances", sound, type: nil), .refused("needs a JSON body"), "no type")
            let foreign = try await post(plane, client, "/instances", sound, type: "application/xml")
            expect(foreign, .malformed("expected an element at byte 0"), "JSON that is said to be XML")
            for type in ["text/xml", "text/plain", "garbage"] {
                let answer = try await post(plane, client, "/instances", sound, type: type)
                expect(answer, Expected(415, "badMediaType", "must be application/json"), type)
            }
            let large = Array(#"{"instance":{"name":""#.utf8) + Array(repeating: UInt8(ascii: "a"), count: 2 << 20)
            expect(
                try await post(plane, client, "/instances", large),
                Expected(413, "overLimit", "The request body is larger than 1048576 bytes."), "2 MiB")
            try await unchanged(client)
        }

        private func post(
            _ plane: ControlPlane, _ client: RESTClient, _ path: String, _ body: [UInt8],
            type: String? = "application/json"
        ) async throws -> RawHTTP.Answer {
            let kind = type.map { "Content-Type: \($0)\r\n" } ?? ""
            return try await raw(
                plane, client, "POST", "/v1.0/\(client.project)\(path)",
                headers: "\(kind)Content-Length: \(body.count)\r\n", body)
        }

        private func raw(
            _ plane: ControlPlane, _ client: RESTClient, _ method: String, _ target: String, headers: String = "",
            _ body: [UInt8] = []
        ) async throws -> RawHTTP.Answer {
            let head =
                "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Auth-Token: \(client.token)\r\n\(headers)"
                + "Connection: close\r\n\r\n"
            return try await RawHTTP.send(plane.port, Array(head.utf8) + body)
        }

        // MARK: Values

        private static let nobody = "0dd0dd0d-0000-4000-8000-000000000000"

        private func values(_ plane: ControlPlane, _ client: RESTClient) async throws {
            let cases: [(JSONValue, Expected)] = [
                (["name": 5], .invalid("instance['name'] 5 is not of type 'string'")),
                (["name": ""], .invalid("instance['name'] '' is too short")),
                (["name": .string(String(repeating: "a", count: 256))], .refused("is too long")),
                (["name": "a\nb"], .refused("does not match")),
                (["flavorRef": true], .invalid("instance['flavorRef'] True is not valid")),
                (["flavorRef": "99"], .refused("Resource 99 cannot be found.")),
                (["flavorRef": "../../.."], .refused("does not match")),
                (["volume": ["size": 0]], .invalid("instance['volume']['size'] 0 is not valid")),
                (["volume": ["size": -1]], .refused("-1 is less than the minimum of 1")),
                (["volume": ["size": 1.5]], .refused("1.5 is not of type 'integer'")),
                (["volume": ["size": .string(String(repeating: "9", count: 40))]], .refused("out of range")),
                (["volume": "1"], .invalid("instance['volume'] '1' is not of type 'object'")),
                (
                    ["volume": ["size": 101]],
                    Expected(
                        413, "overLimit", "Volume 'size' cannot exceed maximum of 100 GB, 101 cannot be accepted.")
                ),
                (["datastore": ["type": "nope"]], Expected(404, "itemNotFound", "Datastore 'nope' cannot be found.")),
                (
                    ["datastore": ["type": "mariadb", "version": "9"]],
                    .refused("Datastore version '9' cannot be found.")
                ),
                (
                    ["datastore": ["type": "mariadb", "version": .string(Self.nobody)]],
                    Expected(404, "itemNotFound", "DBDatastoreVersion Not Found")
                ),
                (
                    ["restorePoint": ["backupRef": .string(Self.nobody)]],
                    Expected(404, "itemNotFound", "Resource \(Self.nobody) cannot be found.")
                ),
                (["restorePoint": ["backupRef": "../x"]], .invalid("instance['restorePoint']['backupRef']")),
                (["databases": [["name": "a"], ["name": "a"]]], .refused("Two or more databases share the same name")),
                (
                    ["users": [["name": "a", "password": "b"], ["name": "a", "password": "c"]]],
                    .refused("Two or more users share the same name and host")
                ),
                (
                    ["users": [["name": "a", "password": "b", "databases": [["name": "q"]]]]],
                    .refused("database q is not included in the initial databases list.")
                ),
                (["users": [["name": "a"]]], .refused("'password' is a required property")),
                (
                    ["users": [["name": "root", "password": "b"]]],
                    .refused("on the reserved list: ['os_admin', 'root']")
                ),
                (["databases": [["name": "mysql"]]], .refused("Database name \"mysql\" is on the reserved list: [")),
                (
                    ["databases": [["name": "a", "character_set": "nope"]]],
                    .refused("Character set \"nope\" is not one")
                ),
                (["replica_count": 2], .refused("Replica count only valid when creating replicas.")),
            ]
            for (extra, wanted) in cases {
                let body = RESTClient.createBody(name: "x", extra: extra)
                expect(try await post(plane, client, "/instances", body.serialized), wanted, extra.text)
            }
            try await unchanged(client)
        }

        // MARK: Paths

        private func paths(_ plane: ControlPlane, _ client: RESTClient) async throws {
            let unknown = Expected(404, "itemNotFound", "The resource could not be found.")
            func missing(_ id: String) -> Expected { Expected(404, "itemNotFound", "Resource \(id) cannot be found.") }
            let cases: [(String, String, Expected)] = [
                ("GET", "/instances/../instances", unknown), ("GET", "/instances/%2e%2e/%2e%2e", unknown),
                ("GET", "/instances/..%2f..%2fetc%2fpasswd", missing("../../etc/passwd")),
                ("GET", "/instances/%00", unknown), ("GET", "/instances/%ff", unknown), ("GET", "/nothing", unknown),
                ("GET", "//instances", unknown), ("PUT", "/instances", unknown),
                ("GET", "/instances/\(Self.nobody)", missing(Self.nobody)),
                ("DELETE", "/instances/\(Self.nobody)", missing(Self.nobody)),
                ("GET", "/instances/\(Self.nobody)/databases", missing(Self.nobody)),
                ("DELETE", "/instances/\(Self.nobody)/users/x", missing(Self.nobody)),
                ("GET", "/backups/\(Self.nobody)", missing(Self.nobody)),
                ("DELETE", "/backups/..%2f..", missing("../..")), ("GET", "/flavors/99", missing("99")),
                ("GET", "/datastores/nope", Expected(404, "itemNotFound", "Datastore 'nope' cannot be found.")),
                (
                    "GET", "/datastores/mariadb/versions/nope",
                    .refused("Datastore version 'nope' cannot be found.")
                ),
                ("GET", "/instances?limit=0", .refused("'limit'")), ("GET", "/instances?limit=x", .refused("'limit'")),
                ("GET", "/backups?marker=x", .refused("'marker'")),
            ]
            for (method, path, wanted) in cases {
                let answer = try await raw(plane, client, method, "/v1.0/\(client.project)\(path)")
                expect(answer, wanted, "\(method) \(path)")
            }
            for marker in ["%00", "%27%20OR%201=1%20--", "%ff", "%F0%9F%98%80"] {
                let answer = try await raw(plane, client, "GET", "/v1.0/\(client.project)/instances?marker=\(marker)")
                #expect([200, 400].contains(answer.status), "\(marker): \(answer.text)")
            }
            let action: JSONValue = ["restart": [:]]
            expect(
                try await post(plane, client, "/instances/\(Self.nobody)/action", action.serialized),
                missing(Self.nobody), "restart")
            let backup: JSONValue = ["backup": ["name": "b", "instance": .string(Self.nobody)]]
            expect(try await post(plane, client, "/backups", backup.serialized), missing(Self.nobody), "backup")
            try await unchanged(client)
        }

        // MARK: Heads

        private func heads(_ plane: ControlPlane, _ client: RESTClient) async throws {
            let path = "/v1.0/\(client.project)/instances"
            for token in ["", "garbage", String(repeating: "A", count: 6000), "..%00", "\u{e9}"] {
                let request = "GET \(path) HTTP/1.1\r\nHost: x\r\nX-Auth-Token: \(token)\r\nConnection: close\r\n\r\n"
                let answer = try await RawHTTP.send(plane.port, Array(request.utf8))
                #expect(answer.status == 401, "\(token.prefix(20)): \(answer.text)")
                #expect(answer.fault.key == "error")
            }
            let refused = [
                "\u{0}\u{1}garbage\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nA: y\u{0}z\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\"b\r\nConnection: close\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 200_000))\r\n\r\n",
            ]
            for request in refused {
                let answer = try await RawHTTP.send(plane.port, Array(request.utf8))
                #expect((400...431).contains(answer.status), "\(request.prefix(60)): \(answer.text)")
            }
            try await unchanged(client)
        }

        // MARK: Projects

        private func otherProjects(_ plane: ControlPlane, _ client: RESTClient) async throws {
            let administrator = try await RESTClient.login(plane, asAdministrator: true)
            #expect(administrator.project != client.project)
            let id = try await administrator.create(name: "theirs")
            try await administrator.wait(id, for: "ACTIVE")
            let made = try await administrator.must(
                "POST", "/backups", ["backup": ["name": "theirs", "instance": .string(id)]])
            let backup = try #require(made["backup"]?["id"]?.stringValue)
            try await administrator.waitBackup(backup, for: "COMPLETED")

            let there = "/v1.0/\(administrator.project)"
            for path in ["/instances", "/instances/\(id)", "/backups", "/flavors"] {
                let answer = try await raw(plane, client, "GET", there + path)
                expect(answer, Expected(403, "forbidden", "cannot access this resource"), path)
            }
            let missing = Expected(404, "itemNotFound", "Resource \(id) cannot be found.")
            let here = "/v1.0/\(client.project)"
            for (method, path) in [
                ("GET", ""), ("DELETE", ""), ("GET", "/databases"), ("GET", "/users"), ("DELETE", "/users/x"),
                ("GET", "/backups"),
            ] {
                let answer = try await raw(plane, client, method, "\(here)/instances/\(id)\(path)")
                expect(answer, missing, "\(method) \(path)")
            }
            for (path, body) in [
                ("/instances/\(id)/action", ["restart": [:]] as JSONValue),
                ("/instances/\(id)/databases", ["databases": [["name": "mine"]]]),
                ("/instances/\(id)/users", ["users": [["name": "mine", "password": "x"]]]),
                ("/backups", ["backup": ["name": "b", "instance": .string(id)]]),
            ] {
                expect(try await post(plane, client, path, body.serialized), missing, path)
            }
            #expect(try await client.call("GET", "/instances/\(id)/root").status == 404)
            #expect(try await client.call("POST", "/instances/\(id)/root").status == 404)
            #expect(try await client.call("GET", "/backups/\(backup)").status == 404)
            #expect(try await client.call("DELETE", "/backups/\(backup)").status == 404)
            let restore = try await client.call(
                "POST", "/instances", RESTClient.createBody(name: "stolen", backup: backup))
            #expect(restore.status == 404)

            #expect(try await administrator.must("GET", "/instances/\(id)/databases")["databases"] == [])
            #expect(try await administrator.must("GET", "/instances/\(id)")["instance"]?["status"] == "ACTIVE")
            try await administrator.must("DELETE", "/backups/\(backup)")
            try await administrator.waitBackup(backup, for: "GONE")
            try await administrator.delete(id)
        }
    }
}
