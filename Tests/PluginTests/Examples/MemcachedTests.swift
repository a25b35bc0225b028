// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Synchronization
import TestSupport
import Testing
import TrovePluginKit

/// The example plugin in plain C, driven over its tables with a real server.
@Suite("memcached in C")
struct MemcachedTests {
    private static let isInstalled =
        access("/usr/bin/memcached", X_OK) == 0 && (geteuid() != 0 || access("/usr/bin/setpriv", X_OK) == 0)

    private static func policy(
        _ function: KeyPath<trove_datastore_policy_1, Policy.Function?>, _ more: [String: JSON] = [:]
    ) throws -> JSON {
        let request: [String: JSON] = [
            "version": "1.6", "memory_mb": 512, "vcpus": 1, "volume_gib": 0, "databases": [], "users": [],
            "instance_id": "6b9d6f9e-0000-4000-8000-000000000001",
        ]
        return try Policy.call(function, .object(request.merging(more) { $1 }), image: PluginImage.memcached)
    }

    private static func refusal(_ body: () throws -> Void) -> (status: Int32, message: String)? {
        do {
            try body()
            return nil
        } catch let failure as CallFailure {
            return (failure.status, failure.message)
        } catch {
            return (-1, "\(error)")
        }
    }

    @Test("what the policy emits keeps to the schemas")
    func schemas() throws {
        let checker = try SchemaChecker.load()
        #expect(checker.problems(try Self.policy(\.requirements), "requirements") == [])
        let parameters = try Self.policy(\.parameters)
        #expect(checker.problems(parameters, "parameters") == [])
        #expect(parameters["parameters"]?.arrayValue?.count == 7)
        #expect(checker.problems(try Self.policy(\.render_configuration), "configuration") == [])
    }

    @Test("a configuration follows memory and overrides; what does not fit is named")
    func configuration() throws {
        let text = try Self.policy(\.render_configuration).text("config_contents")
        #expect(text.contains("cache_memlimit 384\n") && text.contains("evictions 1\n"))
        let own = try Self.policy(
            \.render_configuration, ["overrides": ["evictions": false, "threads": 2, "idle_timeout": .null]]
        )
        .text("config_contents")
        #expect(own.contains("evictions 0\n") && own.contains("threads 2\n") && own.contains("idle_timeout 0\n"))
        let wrong: [(JSON, String)] = [
            (["port": 1], "there is no parameter 'port'"), (["threads": 65], "threads must be an integer from 1 to 64"),
            (["threads": "2"], "threads must be"), (["threads": .double(1.5)], "threads must be"),
            (["evictions": 1], "evictions must be true or false"),
            (["max_item_size_kb": 300_000], "at most half of cache_memlimit"),
            (["a\" b\u{0}": 1], "there is no parameter"),
        ]
        for (values, message) in wrong {
            let found = Self.refusal { _ = try Self.policy(\.validate_create, ["configuration": values]) }
            #expect(found?.status == 1 && found?.message.contains(message) == true, "\(values.text): \(found as Any)")
        }
        #expect(
            Self.refusal {
                _ = try Self.policy(
                    \.validate_configuration, ["values": ["max_item_size_kb": 8192, "cache_memlimit": 10]])
            }?.status == 1)
        #expect(Self.refusal { _ = try Self.policy(\.validate_create, ["memory_mb": 63]) }?.status == 1)
        #expect(Self.refusal { _ = try Self.policy(\.validate_create, ["users": [["name": "x"]]]) }?.status == 1)
        #expect(Self.refusal { _ = try Self.policy(\.validate_create) } == nil)
    }

    @Test("an instance lives: prepare, launch, status, changes at run time, and its end", .enabled(if: isInstalled))
    func life() async throws {
        try await withTemporaryDirectory { root in
            let server = try MemcachedServer(root: root)
            #expect(Self.refusal { try server.session.call(\.launch) }?.status == 5)
            let contents = try Self.policy(\.render_configuration).text("config_contents")
            let request: JSON = ["config_contents": .string(contents), "restored": false]
            for _ in 0..<2 { try server.session.call(\.prepare, request) }
            #expect(try server.session.status().status == UInt32(TROVE_SERVICE_SHUTDOWN))
            try server.start()
            let status = try server.session.status()
            #expect(status.status == UInt32(TROVE_SERVICE_HEALTHY))
            #expect(try server.setting("maxbytes") == "\(384 << 20)")

            let changed = try Self.policy(\.render_configuration, ["overrides": ["cache_memlimit": 200, "threads": 2]])
                .text("config_contents")
            let result = try server.session.call(
                \.apply_configuration,
                ["values": ["cache_memlimit": 200, "threads": 2], "config_contents": .string(changed)])
            #expect(result == ["restart_required": ["threads"]])
            #expect(try SchemaChecker.load().problems(result, "apply-configuration-result") == [])
            #expect(try server.setting("maxbytes") == "\(200 << 20)")
            #expect(try server.setting("num_threads") == "4")
            #expect(
                Self.refusal {
                    try server.session.call(
                        \.apply_configuration, ["values": ["port": 2], "config_contents": .string(changed)])
                }?.status == 1)

            server.stop()
            #expect(try server.session.status().status == UInt32(TROVE_SERVICE_SHUTDOWN))
            try server.start()
            #expect(try server.setting("num_threads") == "2")
        }
    }

    @Test("a server that does not answer is told apart from one that is gone", .enabled(if: isInstalled))
    func silent() async throws {
        try await withTemporaryDirectory { root in
            let server = try MemcachedServer(root: root)
            let contents = try Self.policy(\.render_configuration).text("config_contents")
            try server.session.call(\.prepare, ["config_contents": .string(contents), "restored": false])
            try server.start()
            server.signal(SIGSTOP)
            defer { server.signal(SIGCONT) }
            var status = trove_service_status_1()
            status.size = UInt32(MemoryLayout<trove_service_status_1>.size)
            let table = server.session.table
            let began = ContinuousClock.now
            _ = try server.session.lending { pointer in
                try TestCall(limit: .milliseconds(300)).run { token, _ in table.status?(pointer, token, &status) ?? 12 }
            }
            #expect(status.status == UInt32(TROVE_SERVICE_BLOCKED))
            #expect(ContinuousClock.now - began < .seconds(2))
            let cancelled = TestCall()
            cancelled.isCancelled = true
            #expect(Self.refusal { try server.session.call(\.started, in: cancelled) }?.status == 6)
        }
    }

    @Test("what it cannot do is absent or refused")
    func absent() async throws {
        try await withTemporaryDirectory { root in
            let server = try MemcachedServer(root: root)
            let table = server.session.table
            #expect(table.initialize == nil && table.backup_access == nil && table.create_users == nil)
            #expect(table.enable_root == nil && table.create_databases == nil && table.upgrade == nil)
            let contents = try Self.policy(\.render_configuration).text("config_contents")
            for more: [String: JSON] in [["restored": true], ["root_password": "x"]] {
                let request: [String: JSON] = ["config_contents": .string(contents), "restored": false]
                #expect(
                    Self.refusal { try server.session.call(\.prepare, .object(request.merging(more) { $1 })) }?.status
                        == 4)
            }
            for contents: JSON in ["", "port 1\n", .string(contents + "x"), 7] {
                let found = Self.refusal { try server.session.call(\.prepare, ["config_contents": contents]) }
                #expect(found?.status == 1, "\(contents.text)")
            }
        }
    }
}

/// One server on an address of its own.
private final class MemcachedServer {
    private static let counter = Mutex<UInt32>(0)

    let session: DatastoreSession
    private let address: String
    private let log: String
    private var pid: pid_t = -1

    init(root: String) throws {
        let number = Self.counter.withLock { count -> UInt32 in
            count += 1
            return count
        }
        let process = UInt32(getpid())
        address = "127.\(180 + process >> 8 & 63).\(process & 0xFF).\(number)"
        log = root + "/server.log"
        session = try DatastoreSession(
            [
                "instance_id": "6b9d6f9e-0000-4000-8000-000000000001",
                "datastore": ["name": "memcached", "version": "1.6"], "address": .string(address), "port": 11211,
                "data_dir": .string(root), "run_dir": .string(root), "state_dir": .string(root),
                "log_dir": .string(root),
                "memory_mb": 512, "uid": .int(Int64(EngineUser.uid)), "gid": .int(Int64(EngineUser.gid)),
            ], image: PluginImage.memcached)
    }

    deinit { stop() }

    func start() throws {
        let argv = try session.call(\.launch).list("argv").compactMap(\.stringValue)
        let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(file) }
        pid = try Child.spawn(EngineUser.prefix + argv, [:], input: -1, output: file, errors: file)
        try session.call(\.started, in: TestCall(limit: .seconds(20)))
    }

    func signal(_ number: Int32) { if pid > 0 { kill(pid, number) } }

    func stop() {
        guard pid > 0 else { return }
        signal(SIGCONT)
        signal(SIGTERM)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        pid = -1
    }

    /// A value of `stats settings`, asked over TCP.
    func setting(_ name: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(11211).bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        let connected = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let command = "stats settings\r\n"
        guard connected == 0, send(descriptor, command, command.utf8.count, 0) > 0 else {
            throw TestProblem("nobody listens at \(address)")
        }
        var answer = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !answer.hasSuffix("END\r\n") {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw TestProblem("the answer ended early") }
            answer += String(decoding: buffer[..<count], as: UTF8.self)
        }
        for line in answer.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            if words.count == 3, words[1] == name { return String(words[2]) }
        }
        throw TestProblem("there is no setting \(name)")
    }
}
