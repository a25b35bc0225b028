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
}
