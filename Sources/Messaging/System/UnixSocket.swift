// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Stream sockets in the file system. Source: unix(7).
enum UnixSocket {
    /// Bytes that a path may have, so that its terminator fits `sun_path`.
    static let maximumPathBytes = 107

    /// Refuses paths that no socket can have.
    static func check(_ path: String) throws(MessagingError) {
        let count = path.utf8.count
        guard count > 0, !path.utf8.contains(0) else {
            throw MessagingError(.unavailable, "the bus needs a socket path")
        }
        guard count <= maximumPathBytes else {
            throw MessagingError(
                .unavailable,
                "the bus socket's path has \(count) bytes, a socket's may have \(maximumPathBytes); "
                    + "choose a shorter run directory: \(path)"
            )
        }
    }

    /// Connects; returns the socket or an errno.
    static func connect(_ path: String) -> Result<Descriptor, SystemFailure> {
        open().flatMap { descriptor in
            withAddress(path) { Glibc.connect(descriptor.number, $0, $1) } == 0
                ? .success(descriptor) : .failure(SystemFailure(errno))
        }
    }

    /// Binds with mode 0600 and listens, without blocking; returns the socket or an errno.
    static func listen(_ path: String) -> Result<Descriptor, SystemFailure> {
        open().flatMap { descriptor in
            // The mode of the socket before bind(2) is what the file gets, so nobody else can connect in between.
            guard fchmod(descriptor.number, 0o600) == 0,
                withAddress(path, { Glibc.bind(descriptor.number, $0, $1) }) == 0,
                chmod(path, 0o600) == 0, Glibc.listen(descriptor.number, 256) == 0,
                setNonBlocking(descriptor)
            else { return .failure(SystemFailure(errno)) }
            return .success(descriptor)
        }
    }

    static func setNonBlocking(_ descriptor: Descriptor) -> Bool {
        let flags = fcntl(descriptor.number, F_GETFL)
        return flags >= 0 && fcntl(descriptor.number, F_SETFL, flags | O_NONBLOCK) == 0
    }

    /// The user at the other end, as it was when it connected. Source: SO_PEERCRED, unix(7).
    static func peerUser(_ descriptor: Descriptor) -> UInt32? {
        var credentials = Credentials()
        var size = socklen_t(MemoryLayout<Credentials>.size)
        guard getsockopt(descriptor.number, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        return credentials.uid
    }

    /// `struct ucred`, which the C library shows only with its extensions on.
    private struct Credentials {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
    }

    private static func open() -> Result<Descriptor, SystemFailure> {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_UNIX, type, 0)
        return number >= 0 ? .success(Descriptor(number)) : .failure(SystemFailure(errno))
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: path.utf8.prefix(maximumPathBytes))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// An errno.
struct SystemFailure: Error, Hashable, CustomStringConvertible {
    let code: Int32

    init(_ code: Int32) { self.code = code }

    var description: String { systemMessage(code) }
}
