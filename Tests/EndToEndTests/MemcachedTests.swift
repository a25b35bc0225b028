// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Model
import Testing

extension EndToEnd {
    /// An engine that nobody but its plugin knows, written in C against the SDK.
    @Suite("A vendor's datastore: memcached", .serialized)
    struct MemcachedTests {
        @Test("one file and one directory enable it, and it lives as any other", .timeLimit(.minutes(5)))
        func life() async throws {
            let configuration = Build.folder.hasSuffix("/release") ? "release" : "debug"
            let built = try await Command.run(
                ["\(Build.root)/Plugins/Examples/build.sh", configuration], seconds: 280)
            try #require(built.status == 0, "\(built.errors)")
            try await ControlPlane.with(configure: { try $0.copySample("datastores/mariadb.yaml") }) { plane in
                try await enable(plane)
                try await create(plane)
                try await restart(plane)
                try await whatItLacks(plane)
                try await plane.openstack("database", "instance", "delete", "cache")
                try await eventually(60, "the instance is gone") {
                    try await plane.openstack("database", "instance", "list", "-f", "json").arrayValue?.isEmpty ?? false
                }
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        /// While the control plane serves.
        private func enable(_ plane: ControlPlane) async throws {
            let (from, to) = (Build.folder + "/examples/memcached", plane.home + "/plugins/memcached")
            try FileManager.default.createDirectory(
                atPath: plane.home + "/plugins", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: from, toPath: to)
            try FileManager.default.copyItem(
                atPath: Build.root + "/Plugins/Examples/Memcached/memcached.yaml",
                toPath: plane.home + "/config/datastores/memcached.yaml")
            try await plane.hangup()
            try await eventually(30, "memcached is listed") {
                try await plane.openstack("datastore", "list", "-f", "json").text.contains("memcached")
            }
        }

        private func create(_ plane: ControlPlane) async throws {
            try await plane.openstack(
                "database", "instance", "create", "cache", "--flavor", "1", "--size", "1", "--datastore", "memcached",
                "--datastore-version", "1.6", "-f", "json")
            let shown = try await status(plane, "cache", is: "ACTIVE")
            let cache = try MemoryCache(address: SQL.address(shown))
            #expect(try cache.ask("set color 0 0 5\r\ngreen\r\n", until: "STORED\r\n") == "STORED\r\n")
            #expect(try cache.ask("get color\r\n", until: "END\r\n") == "VALUE color 0 5\r\ngreen\r\nEND\r\n")
            // The smallest flavor's memory, less what the server itself needs.
            let settings = try cache.ask("stats settings\r\n", until: "END\r\n")
            #expect(
                settings.contains("STAT evictions on\r\n") && settings.contains("STAT udpport 0\r\n"), "\(settings)")
            let limit = settings.firstMatch(of: #/STAT maxbytes (\d+)/#).flatMap { Int($0.1) } ?? 0
            #expect(limit > 0 && limit % (1 << 20) == 0)
        }

        /// A cache keeps nothing on disk: after a restart it answers, and is empty.
        private func restart(_ plane: ControlPlane) async throws {
            let before = try await status(plane, "cache", is: "ACTIVE")
            let started = try MemoryCache(address: SQL.address(before)).uptime()
            try await Task.sleep(for: .seconds(1.1))
            try await plane.openstack("database", "instance", "restart", "cache")
            try await eventually(60, "the server is another one and answers") {
                let shown = try await status(plane, "cache", is: "ACTIVE")
                guard let uptime = try? MemoryCache(address: SQL.address(shown)).uptime() else { return false }
                return uptime < started + 1
            }
            let shown = try await status(plane, "cache", is: "ACTIVE")
            let cache = try MemoryCache(address: SQL.address(shown))
            #expect(try cache.ask("get color\r\n", until: "END\r\n") == "END\r\n")
        }

        /// What is NULL in the plugin's table is answered by the host, and what a tenant cannot have is refused at once.
        private func whatItLacks(_ plane: ControlPlane) async throws {
            let client = try await RESTClient.login(plane)
            let list = try await client.must("GET", "/instances")
            let id = try #require(list["instances"]?[0]?["id"]?.stringValue)
            let user: JSONValue = ["users": [["name": "clerk", "password": "s3cret-Clerk", "databases": []]]]
            #expect(try await client.call("POST", "/instances/\(id)/users", user).status == 501)
            #expect(try await client.call("POST", "/instances/\(id)/root").status == 501)
            #expect(try await client.call("GET", "/instances/\(id)/databases").status == 501)
            let withDatabases = try await client.call(
                "POST", "/instances",
                [
                    "instance": [
                        "name": "second", "flavorRef": "1", "volume": ["size": 1],
                        "datastore": ["type": "memcached", "version": "1.6"], "databases": [["name": "shop"]],
                    ]
                ])
            #expect(withDatabases.status == 400)
            #expect(String(decoding: withDatabases.bytes, as: UTF8.self).contains("memcached has no databases"))
        }

        @discardableResult
        private func status(_ plane: ControlPlane, _ name: String, is status: String) async throws -> JSONValue {
            var last: JSONValue = .null
            try await eventually(120, "\(name) is \(status)") {
                last = try await plane.openstack("database", "instance", "show", name, "-f", "json")
                if last["status"] == "ERROR" { throw TestFailure("\(name) is in ERROR: \(last.text)") }
                return last["status"]?.stringValue == status
            }
            return last
        }
    }
}

/// memcached's text protocol, a connection a question.
private struct MemoryCache {
    let address: String

    func ask(_ command: String, until end: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("no socket") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(11211).bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        let connected = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, send(descriptor, command, command.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else {
            throw TestFailure("nobody listens at \(address)")
        }
        var answer = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !answer.hasSuffix(end) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw TestFailure("the answer ended early: \(answer)") }
            answer += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return answer
    }

    /// Seconds since the server's start.
    func uptime() throws -> Int {
        let answer = try ask("stats\r\n", until: "END\r\n")
        return answer.firstMatch(of: #/STAT uptime (\d+)/#).flatMap { Int($0.1) } ?? 0
    }
}
