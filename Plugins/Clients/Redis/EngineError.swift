// SPDX-License-Identifier: Apache-2.0

package import TrovePluginKit

/// The engine's errors in the boundary's words.
///
/// Source: an error reply begins with a code in capitals (RESP, "Simple errors").
package enum EngineError {
    /// The failure that an error reply stands for; its code is in `details` as `code`.
    package static func failure(_ text: String, purpose: String) -> PluginFailure {
        let code = String(text.prefix { $0 != " " })
        return PluginFailure(status(code, text), "\(purpose): \(text)", details: ["code": .string(code)])
    }

    /// The failure of a connection that is gone or was never there; a new one may work.
    package static func lostConnection(_ message: String) -> PluginFailure {
        PluginFailure(.unavailable, message, details: ["code": "LOST"])
    }

    /// Whether a new connection may work.
    package static func isLostConnection(_ failure: PluginFailure) -> Bool { failure.details?["code"] == "LOST" }

    private static func status(_ code: String, _ text: String) -> PluginStatus {
        switch code {
        case "WRONGPASS", "NOAUTH", "NOPERM", "DENIED": .permissionDenied
        case "LOADING", "MASTERDOWN", "CLUSTERDOWN": .unavailable
        case "BUSY", "TRYAGAIN": .busy
        case "OOM", "MISCONF": .exhausted
        case "READONLY", "NOREPLICAS": .preconditionFailed
        case "ERR" where text.contains("max number of clients"): .exhausted
        case "ERR" where text.contains("ACL SETUSER") || text.contains("CONFIG SET"): .invalidArgument
        default: .internal
        }
    }
}
