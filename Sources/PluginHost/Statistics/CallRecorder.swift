// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts the calls of one plugin where they run.
final class CallRecorder: Sendable {
    private static let functionLimit = 256
    private static let rest = "other"

    private let functions = Mutex<[String: PluginStatistics.Function]>([:])

    func began(_ function: String) { change(function) { $0.inFlight += 1 } }

    /// - Parameter code: nil when it succeeded.
    func ended(_ function: String, after duration: Duration, code: PluginError.Code?) {
        change(function) { entry in
            entry.inFlight -= 1
            entry.add(seconds: duration / .seconds(1), code: code?.description)
        }
    }

    var snapshot: [String: PluginStatistics.Function] { functions.withLock { $0 } }

    private func change(_ function: String, _ body: (inout PluginStatistics.Function) -> Void) {
        functions.withLock { functions in
            let isKnown = functions[function] != nil || functions.count < Self.functionLimit
            body(&functions[isKnown ? function : Self.rest, default: PluginStatistics.Function()])
        }
    }
}
