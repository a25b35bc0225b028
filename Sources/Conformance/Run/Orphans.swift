// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Processes that a plugin under check started and left behind. They are known by a variable of their environment, which
/// names the run; a process cannot lose it without executing a program with another environment.
enum Orphans {
    /// The variable of a run's children.
    static func mark(_ scratch: String) -> String { "TROVE_CHECK_RUN=" + scratch }

    /// Ends those of one run that have become this process's children.
    static func end(of scratch: String) {
        let mark = Array(mark(scratch).utf8)
        // Ending one may bring its children.
        for _ in 0..<8 {
            let found = children.filter { pid in
                guard let environment = FileTree.read("/proc/\(pid)/environ", limit: 1 << 20) else { return false }
                return environment.split(separator: 0).contains { $0.elementsEqual(mark) }
            }
            guard !found.isEmpty else { return }
            for pid in found {
                kill(pid, SIGKILL)
                var status: Int32 = 0
                waitpid(pid, &status, 0)
            }
        }
    }

    private static var children: [pid_t] {
        FileTree.names("/proc/self/task").flatMap { thread in
            let text = FileTree.read("/proc/self/task/\(thread)/children", limit: 1 << 20) ?? []
            return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
        }
    }
}
