// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

@testable import Compute

/// Another process that works on a test's home; see `Tests/ComputeCheck`.
final class CheckProcess {
    private let handle: ProcessHandle
    private let output: Int32
    private var isEnded = false

    var pid: pid_t { handle.pid }

    /// - Parameter guest: Further members of the guest's configuration.
    init(_ host: TestHost, guest: [String: JSONValue] = [:], _ arguments: [String]) throws {
        let configuration = host.configuration
        let settings: JSONValue = [
            "home": .string(configuration.home), "agent": .string(configuration.guestExecutable),
            "run": .string(configuration.runDirectory), "addresses": .string(configuration.addressRange),
            "privileged": .bool(configuration.isPrivileged), "overcommit": .double(configuration.overcommit),
            "spares": .int(Int64(configuration.spareImages)),
            "guest": .object((TestHost.guest.objectValue ?? [:]).merging(guest) { $1 }),
        ]
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostFiles.failure("open", "a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var launch = ProcessLaunch(arguments: [Self.program, settings.text] + arguments, environment: [:])
        launch.output = ends[1]
        defer { close(ends[1]) }
        output = ends[0]
        handle = try launch.start()
    }

    deinit {
        kill()
        handle.close()
        close(output)
    }

    private static var program: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
        let own = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let beside = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/compute-check"
        return String(beside)
    }

    /// The next line that it says; empty at its end.
    func line() -> String {
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { text.append(byte) }
        return String(decoding: text, as: UTF8.self)
    }

    /// SIGKILL, and waits for the end.
    func kill() {
        guard !isEnded else { return }
        isEnded = true
        var status: Int32 = 0
        _ = clinux_pidfd_signal(handle.pidfd, SIGKILL)
        _ = clinux_pidfd_wait(handle.pidfd, 10_000, &status)
    }
}
