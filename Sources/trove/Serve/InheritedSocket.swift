// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The listening socket that a service manager made and hands over: `LISTEN_PID` and `LISTEN_FDS`, as systemd's socket units do.
enum InheritedSocket {
    private static let firstDescriptor: Int32 = 3

    /// Takes it, so that no child finds it again.
    ///
    /// - Returns: nil when nothing was handed to this process.
    /// - Throws: `StartError` when it is not one IPv4 socket that listens.
    static func take() throws -> (descriptor: Int32, address: ListenAddress)? {
        guard let pid = Environment.value("LISTEN_PID"), pid_t(pid) == getpid(),
            let count = Environment.value("LISTEN_FDS")
        else { return nil }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        guard count == "1" else { throw StartError("LISTEN_FDS is \(count); the API listens on one socket") }
        let descriptor = fcntl(firstDescriptor, F_DUPFD_CLOEXEC, 16)
        guard descriptor >= 0 else {
            throw StartError("descriptor 3 of LISTEN_FDS is not there: \(String(cString: strerror(errno)))")
        }
        close(firstDescriptor)
        guard isListening(descriptor), let address = ListenAddress(of: descriptor) else {
            throw StartError("descriptor 3 of LISTEN_FDS is no IPv4 socket that listens")
        }
        return (descriptor, address)
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0
    }
}

extension ListenAddress {
    /// Where an IPv4 socket is bound.
    init?(of descriptor: Int32) {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard code == 0, address.sin_family == sa_family_t(AF_INET) else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
        guard inet_ntop(AF_INET, &address.sin_addr, &text, socklen_t(text.count)) != nil else { return nil }
        self.init(
            host: String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self),
            port: UInt16(bigEndian: address.sin_port))
    }
}
