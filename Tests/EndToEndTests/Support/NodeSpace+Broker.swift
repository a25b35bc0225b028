// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport

extension NodeSpace {
    /// One request to the broker's management API, as its administrator; `path` begins behind `/api`.
    @discardableResult
    func broker(_ method: String, _ path: String) async throws -> JSONValue {
        let account = "\(try nodes.text("rabbitmq", "admin", "user")):\(try nodes.password("rabbitmq", "admin"))"
        let result = try await Command.run(
            [
                "/usr/bin/curl", "-sS", "-f", "-K", "-", "-X", method,
                try nodes.text("rabbitmq", "management_url") + "/api" + path,
            ],
            input: "user = \"\(account)\"\n")
        guard result.status == 0 else { throw TestFailure("\(method) \(path) at the broker: \(result.errors)") }
        return (try? JSONValue(parsing: result.output)) ?? .null
    }

    /// Names of this space's queues.
    func queues() async throws -> [String] {
        (try await broker("GET", "/queues/\(virtualHost)").arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }

    /// Names of the connections of processes, as far as the broker has counted them.
    func connections(of pids: [pid_t]) async throws -> [String] {
        let connections = try await broker("GET", "/vhosts/\(virtualHost)/connections").arrayValue ?? []
        return connections.filter { connection in
            let port = connection["peer_port"]?.intValue ?? 0
            return pids.contains { Self.holds($0, port: Int(port)) }
        }.compactMap { $0["name"]?.stringValue }
    }

    /// Closes a connection, as an operator does.
    func close(connection name: String) async throws {
        let quoted = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
        try await broker("DELETE", "/connections/\(quoted)")
    }

    /// Whether a process has a socket with this local port.
    ///
    /// Source: proc_pid_net(5): the second field is the local address, the tenth the inode.
    private static func holds(_ pid: pid_t, port: Int) -> Bool {
        let table = (try? ControlPlane.kernelFile("/proc/\(pid)/net/tcp")) ?? ""
        let inodes = table.split(separator: "\n").map { $0.split(separator: " ") }.filter { fields in
            fields.count > 9 && fields[1].split(separator: ":").last.flatMap { Int($0, radix: 16) } == port
        }.map { "socket:[\($0[9])]" }
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
        return descriptors.contains { descriptor in
            let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(descriptor)")
            return inodes.contains(link ?? "-")
        }
    }
}
