// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TrovePluginKit

/// A host for plugins under test: the least that keeps the boundary's rules, with a process service that really runs.
enum TestHost {
    // Constant after the first use.
    nonisolated(unsafe) static let table: UnsafePointer<trove_host_1> = {
        let table = UnsafeMutablePointer<trove_host_1>.allocate(capacity: 1)
        table.initialize(
            to: trove_host_1(
                size: UInt32(MemoryLayout<trove_host_1>.size), magic: TROVE_MAGIC, abi_major: 1, abi_minor: 0, flags: 0,
                name: trove_str(ptr: nil, len: 0), version: trove_str(ptr: nil, len: 0),
                get_extension: { TestHost.service($1.map { String(cString: $0) } ?? "") },
                emit: { call, data, count in
                    TestCall.from(call)?.output.append(contentsOf: UnsafeRawBufferPointer(start: data, count: count))
                    return 0
                },
                fail: { call, status, message, details in
                    TestCall.from(call)?.failure = (status, String(message), String(details))
                    return status
                },
                is_cancelled: { TestCall.from($0)?.isCancelled == true ? 1 : 0 },
                cancel_fd: { _ in -1 },
                time_left_ns: { call in
                    guard let call = TestCall.from(call) else { return 0 }
                    let left = call.limit - call.start.duration(to: .now)
                    return left.components.seconds * 1_000_000_000 + left.components.attoseconds / 1_000_000_000
                },
                progress: { call, _, message in TestCall.from(call)?.progress.append(String(message)) },
                complete: { _, _ in }))
        return UnsafePointer(table)
    }()

    private static func service(_ id: String) -> UnsafeRawPointer? {
        switch id {
        case TROVE_EXT_PROCESS: UnsafeRawPointer(process)
        case TROVE_EXT_CONTROL: UnsafeRawPointer(control)
        case TROVE_EXT_KV: UnsafeRawPointer(kv)
        case TROVE_EXT_OBJECT_STORE: UnsafeRawPointer(objects)
        case TROVE_EXT_HTTP: UnsafeRawPointer(http)
        case TROVE_EXT_RPC: UnsafeRawPointer(rpc)
        case TROVE_EXT_METRICS: UnsafeRawPointer(metrics)
        case TROVE_EXT_REPORT: UnsafeRawPointer(report)
        case TROVE_EXT_CLOCK: UnsafeRawPointer(clock)
        default: nil
        }
    }

    nonisolated(unsafe) private static let process: UnsafePointer<trove_process_1> = {
        let table = UnsafeMutablePointer<trove_process_1>.allocate(capacity: 1)
        table.initialize(
            to: trove_process_1(
                size: UInt32(MemoryLayout<trove_process_1>.size), flags: 0,
                run: { call, request, input, output, response in
                    TestHost.answer(call, response) { _ in
                        try ChildRun(try JSON(parsing: String(request))).finish(input: input, output: output)
                    }
                }))
        return UnsafePointer(table)
    }()

    nonisolated(unsafe) private static let control: UnsafePointer<trove_control_1> = {
        let table = UnsafeMutablePointer<trove_control_1>.allocate(capacity: 1)
        table.initialize(
            to: trove_control_1(
                size: UInt32(MemoryLayout<trove_control_1>.size), flags: 0,
                call: { call, operation, request, response in
                    TestHost.answer(call, response) { call in
                        try call.control(String(operation), try JSON(parsing: String(request)))
                    }
                }))
        return UnsafePointer(table)
    }()

    static func answer(
        _ handle: OpaquePointer?, _ response: UnsafeMutablePointer<trove_str>?, _ body: (TestCall) throws -> JSON
    ) -> trove_status {
        perform(handle) { call in response?.pointee = call.lend(try body(call)) }
    }

    /// Runs a service's work and records what it throws, as the host does.
    static func perform(_ handle: OpaquePointer?, _ body: (TestCall) throws -> Void) -> trove_status {
        guard let call = TestCall.from(handle) else { return trove_status(TROVE_INTERNAL) }
        do {
            try body(call)
            return 0
        } catch let failure as CallFailure {
            call.failure = (failure.status, failure.message, "")
            return failure.status
        } catch {
            call.failure = (trove_status(TROVE_INTERNAL), "\(error)", "")
            return trove_status(TROVE_INTERNAL)
        }
    }
}

/// A program of the process service.
struct ChildRun {
    let argv: [String]
    let environment: [String: String]

    init(_ request: JSON) throws {
        let argv = try request.list("argv").compactMap(\.stringValue)
        self.argv = request["as"] == "engine" ? EngineUser.prefix + argv : argv
        environment = (request["env"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    func finish(input: Int32, output: Int32) throws -> JSON {
        let files = (try scratch(), try scratch())
        defer {
            close(files.0)
            close(files.1)
        }
        let pid = try Child.spawn(
            argv, environment, input: input, output: output >= 0 ? output : files.0, errors: files.1)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return [
            "exit_status": signal == 0 ? .int(Int64(status >> 8 & 0xFF)) : .null,
            "signal": signal == 0 ? .null : .int(Int64(signal)),
            "stdout": .string(text(files.0)), "stderr_tail": .string(String(text(files.1).suffix(65536))),
        ]
    }

    private func scratch() throws -> Int32 {
        var template = Array("/tmp/trove-child-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw TestProblem("no temporary file") }
        unlink(template)
        return descriptor
    }

    private func text(_ descriptor: Int32) -> String {
        let size = Int(lseek(descriptor, 0, Int32(SEEK_END)))
        var bytes = [UInt8](repeating: 0, count: max(size, 0))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}

/// Whom engines run as: a uid of nobody's for root, else the tests' own.
enum EngineUser {
    static let uid: UInt32 = geteuid() == 0 ? 34567 : geteuid()
    static let gid: UInt32 = geteuid() == 0 ? 34567 : getegid()
    static let prefix: [String] =
        geteuid() == 0
        ? ["/usr/bin/setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--clear-groups", "--no-new-privs"] : []
}

/// Starting programs.
enum Child {
    static func spawn(
        _ argv: [String], _ environment: [String: String], input: Int32, output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if input >= 0 {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = argv.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        // The thread's own mask, in which a server would never see that it is to stop, is not handed on.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        let result = posix_spawn(&pid, argv[0], &actions, &attributes, &arguments, &variables)
        guard result == 0 else {
            throw CallFailure(status: 9, message: "\(argv[0]): \(String(cString: strerror(result)))")
        }
        return pid
    }
}
