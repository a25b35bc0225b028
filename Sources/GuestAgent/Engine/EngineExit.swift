// SPDX-License-Identifier: Apache-2.0

import CLinux

/// How the engine ended.
package enum EngineExit: Sendable, Hashable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)
    /// Killed by the kernel because the instance's memory was used up.
    case outOfMemory
    /// It was not the agent's child (adopted), so nobody told.
    case unknown

    /// - Parameters:
    ///   - waitStatus: As of waitpid(2), -1 when unknown.
    ///   - memoryKills: Kills for lack of memory in its cgroup since it was started.
    init(waitStatus: Int32, memoryKills: Int) {
        let signal = clinux_term_signal(waitStatus)
        let wasKilled = signal == 9 || waitStatus == -1
        if wasKilled, memoryKills > 0 {
            self = .outOfMemory
        } else if waitStatus == -1 {
            self = .unknown
        } else {
            self = signal >= 0 ? .signal(signal) : .code(clinux_exit_code(waitStatus))
        }
    }

    package var description: String {
        switch self {
        case .code(let code): "ended with status \(code)"
        case .signal(let signal): "was ended by signal \(signal)"
        case .outOfMemory: "was ended by the kernel: out of memory"
        case .unknown: "ended, its exit status is unknown"
        }
    }
}
