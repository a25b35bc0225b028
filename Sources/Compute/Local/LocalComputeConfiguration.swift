// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging

/// What the local compute driver needs to know about its host and home.
package struct LocalComputeConfiguration: Sendable {
    /// Absolute path of the home; instances and templates live below it.
    package var home: String
    /// Host-wide directory for claims, mounts and sockets; short, because a Unix socket's path has 107 bytes.
    package var runDirectory: String
    /// Absolute path of the guest agent's program.
    package var guestExecutable: String
    /// Arguments between the program and `--config PATH`.
    package var guestArguments: [String]
    /// The agent's whole environment.
    package var guestEnvironment: [String: String]
    /// Name of this host. Instances that were placed under another name are left alone.
    package var host: String
    /// Whether this process only looks: it takes nothing up again and sweeps nothing.
    package var isObserver: Bool
    /// Loopback addresses to hand out, CIDR form within 127.0.0.0/8.
    package var addressRange: String
    /// Numeric user ids to hand out; each instance has one of its own.
    package var uidRange: Range<UInt32>
    /// Space of the home's file system that promises leave alone, and below which nothing new is made.
    package var reserveGiB: Int
    /// Promised bytes may be this multiple of the file system's size (without the reserve), since images are sparse.
    package var overcommit: Double
    /// Copies of each template that are made ahead, so that a new volume is a rename.
    package var spareImages: Int
    /// Time a template's initialisation may take.
    package var templateTimeout: Duration
    /// Time an agent has to end by itself after SIGTERM.
    package var agentStopTimeout: Duration
    /// Time killed processes have to vanish, and a busy mount to become free.
    package var killTimeout: Duration
    /// How long another process of this host may work on an instance before this one gives up waiting.
    package var lockTimeout: Duration
    /// Memory of an agent's own control group.
    package var agentMemoryMiB: Int
    /// Whether to use mounts, uids and control groups; false: plain directories under the caller's uid.
    package var isPrivileged: Bool
    package var logger: Logger

    package init(home: String, guestExecutable: String, logger: Logger) {
        self.home = home
        self.guestExecutable = guestExecutable
        self.logger = logger
        runDirectory = Self.defaultRunDirectory
        guestArguments = []
        guestEnvironment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
        ]
        addressRange = "127.20.0.0/16"
        uidRange = 64000..<65000
        reserveGiB = 2
        overcommit = 2
        spareImages = 4
        templateTimeout = .seconds(300)
        agentStopTimeout = .seconds(5)
        killTimeout = .seconds(15)
        agentMemoryMiB = 256
        isPrivileged = geteuid() == 0
        isObserver = false
        host = Self.hostName
        lockTimeout = .seconds(60)
    }

    /// Whether `text` is a range that `addressRange` may be.
    package static func isAddressRange(_ text: String) -> Bool { (try? AddressRange(text)) != nil }

    /// The host's own name for itself, as `uname -n` prints it.
    package static var hostName: String {
        var info = utsname()
        guard uname(&info) == 0 else { return "localhost" }
        return withUnsafeBytes(of: &info.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// `TROVE_RUN_DIR`, or `/run/trove` as root, or `/tmp/trove-<uid>`.
    package static var defaultRunDirectory: String {
        if let value = getenv("TROVE_RUN_DIR"), value.pointee != 0 { return String(cString: value) }
        return geteuid() == 0 ? "/run/trove" : "/tmp/trove-\(geteuid())"
    }
}
