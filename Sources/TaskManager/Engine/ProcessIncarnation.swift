// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Model

/// One run of one process, named so that another process of the same host can tell whether it has ended.
///
/// Shape: `<boot id>.<pid namespace>.<pid>.<start time>.<random>`, at most 128 characters, none of them a slash.
package enum ProcessIncarnation {
    /// The name of this run; another one with every call.
    package static func name(random: any RandomSource = SystemRandomSource()) -> String {
        let place = place
        let start = stat(getpid())?.start ?? "0"
        return "\(place.boot).\(place.namespace).\(getpid()).\(start).\(String(random.uuid().prefix(8)))"
    }

    /// Whether the process is known to have ended: it ran on this host since the host was started, in this pid namespace,
    /// and is not there any more. False for what cannot be known.
    ///
    /// Source: proc_pid_stat(5); kill(2) finds a process that a `hidepid` mount of `/proc` hides.
    package static func hasEnded(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, let pid = pid_t(parts[2]), pid > 0 else { return false }
        let place = place
        guard !place.boot.isEmpty, !place.namespace.isEmpty, parts[0] == place.boot, parts[1] == place.namespace else {
            return false
        }
        if kill(pid, 0) != 0 { return errno == ESRCH }
        guard let found = stat(pid) else { return false }
        return found.start != parts[3] || found.isDead
    }

    /// What a pid means something in.
    private static let place: (boot: String, namespace: String) = {
        let boot = text("/proc/sys/kernel/random/boot_id").filter { $0.isHexDigit }
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/ns/pid", &target, target.count)
        let link = count > 0 ? String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
        return (boot, link.filter(\.isNumber))
    }()

    /// State and start time of a process; nil when it is not there or cannot be seen.
    private static func stat(_ pid: pid_t) -> (isDead: Bool, start: String)? {
        // The name in parentheses may hold anything; what follows the last one has spaces between fields 3, 4, …
        let line = text("/proc/\(pid)/stat")
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        return (fields[0] == "Z" || fields[0] == "X", String(fields[19]))
    }

    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }
}
