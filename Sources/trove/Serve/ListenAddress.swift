// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The address that the API listens on: IPv4 text and port.
struct ListenAddress: Sendable, CustomStringConvertible {
    let host: String
    let port: UInt16

    /// Reads `host:port`; port 0 takes a free one.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]) else {
            throw StartError("'\(text)' is not an address to listen on; write it as 127.0.0.1:8779")
        }
        let host = parts[0] == "localhost" ? "127.0.0.1" : String(parts[0])
        var address = in_addr()
        guard inet_pton(AF_INET, host, &address) == 1 else {
            throw StartError("'\(parts[0])' is not an IPv4 address; write the address to listen on as 127.0.0.1:8779")
        }
        self.host = host
        self.port = port
    }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    var description: String { "\(host):\(port)" }
    /// Where a client on this host finds it.
    var urlAuthority: String { "\(host == "0.0.0.0" ? "127.0.0.1" : host):\(port)" }
    var url: String { "http://\(urlAuthority)" }

    /// Binds and listens. The descriptor is close-on-exec.
    func listen(backlog: Int32 = 1024) throws -> (descriptor: Int32, address: ListenAddress) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw StartError("cannot make a socket: \(String(cString: strerror(errno)))") }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard isBound == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let reason = errno == EADDRINUSE ? "something else listens there" : String(cString: strerror(errno))
            close(descriptor)
            throw StartError("cannot listen on \(self): \(reason); choose another address with TROVE_LISTEN")
        }
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return (descriptor, ListenAddress(host: host, port: UInt16(bigEndian: address.sin_port)))
    }
}
