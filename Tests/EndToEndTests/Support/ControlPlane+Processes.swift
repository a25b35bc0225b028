// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What runs on the host for a control plane, read off /proc.
extension ControlPlane {
    struct HostProcess: Sendable, CustomStringConvertible {
        var pid: pid_t
        var arguments: [String]
        var description: String { "\(pid) \(arguments.joined(separator: " "))" }
    }

    /// A whole file of the kernel's; `String(contentsOfFile:)` ends after the first page of those.
    static func kernelFile(_ path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw TestFailure("cannot open \(path)") }
        return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    }

    /// Every process whose command line has `word` in it.
    static func processes(mentioning word: String) -> [HostProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { $0 != getpid() }.compactMap { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
            let arguments = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return arguments.contains { $0.contains(word) } ? HostProcess(pid: pid, arguments: arguments) : nil
        }
    }

    /// The instance's agent.
    func agent(of id: String) -> pid_t? {
        Self.processes(mentioning: id).first {
            $0.arguments.first?.hasSuffix("/trove-guest") == true
                && $0.arguments.contains { $0.hasPrefix(home) && $0.contains(id) }
        }?.pid
    }

    /// The instance's engine.
    func engine(of id: String) -> pid_t? {
        Self.processes(mentioning: id).first { $0.arguments.first?.hasSuffix("/mariadbd") == true }?.pid
    }
}
