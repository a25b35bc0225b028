// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the engine says that it is ready.
///
/// A path in the run directory: a later agent binds the same path again, so an engine that it adopted can still speak to
/// it. Only the engine's uid may write to it. Source: sd_notify(3).
final class NotifySocket: Sendable {
    /// What a datagram says.
    enum Message: Sendable, Hashable {
        case ready
        case stopping
        case status(String)
        /// From now on.
        case extendTimeout(Duration)
    }

    /// `O_PATH` and `AT_EMPTY_PATH`, which the C library hides from strict programs. Source: open(2), chown(2).
    private static let pathOnly: Int32 = 0o10000000
    private static let emptyPath: Int32 = 0x1000

    let path: String
    let descriptor: Int32

    static func path(_ configuration: GuestConfiguration) -> String { configuration.runDirectory + "/notify.sock" }

    /// Binds the socket, in place of an earlier agent's.
    ///
    /// - Throws: `.storage` naming the path.
    init(_ configuration: GuestConfiguration) throws(GuestAgentError) {
        let path = Self.path(configuration)
        guard var address = SocketAddress.unix(path) else {
            throw GuestAgentError(.storage, "'\(path)' is too long for a socket: a path has 107 bytes at most")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw FileAccess.failure("make a socket for", path) }
        unlink(path)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, !configuration.setIDs || Self.give(path, configuration) else {
            let failure = FileAccess.failure("bind", path)
            close(descriptor)
            throw failure
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Gives the socket to the engine's uid. That uid may write to the directory, so what is given is looked at first.
    private static func give(_ path: String, _ configuration: GuestConfiguration) -> Bool {
        let file = open(path, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var information = stat()
        guard fstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFSOCK else { return false }
        return fchownat(file, "", configuration.uid, configuration.gid, Self.emptyPath) == 0
    }

    /// Takes what is there, without waiting.
    func receive() -> [Message] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var messages: [Message] = []
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return messages }
            messages += Self.parse(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }

    static func parse(_ text: String) -> [Message] {
        text.split(separator: "\n").compactMap { line in
            guard let equals = line.firstIndex(of: "=") else { return nil }
            let value = line[line.index(after: equals)...]
            switch line[..<equals] {
            case "READY": return value == "1" ? .ready : nil
            case "STOPPING": return value == "1" ? .stopping : nil
            case "STATUS": return .status(String(value))
            case "EXTEND_TIMEOUT_USEC": return Int64(value).map { .extendTimeout(.microseconds($0)) }
            default: return nil
            }
        }
    }
}
