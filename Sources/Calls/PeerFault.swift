// SPDX-License-Identifier: Apache-2.0

package import Messaging

/// A plugin's failure on its way to the same plugin in the other role: the code travels in the module's name.
package enum PeerFault {
    private static let className = "PluginError"
    private static let module = "trove.plugin."

    package static func fault(code: String, message: String) -> RPCFault {
        RPCFault(className: className, module: module + code, message: message)
    }

    /// The code that `fault` was made with; nil for another failure.
    package static func code(_ failure: RPCFailure) -> String? {
        guard failure.className == className, failure.module.hasPrefix(module) else { return nil }
        return String(failure.module.dropFirst(module.count))
    }

    /// What became of a message: the peer's own failure, or trouble on the way.
    ///
    /// - Parameter peer: Who it went to, for the sentence.
    /// - Returns: The code of a plugin's failure, as `fault` takes it, and a sentence; `unavailable` for a code that is none.
    package static func outcome(_ error: MessagingError, peer: String) -> (code: String, message: String) {
        if let failure = error.failure { return (code(failure) ?? "unavailable", failure.message) }
        let code =
            switch error.code {
            case .timedOut: "timed_out"
            case .cancelled: "cancelled"
            default: "unavailable"
            }
        return (code, "\(peer) cannot be reached: \(error.message)")
    }
}
