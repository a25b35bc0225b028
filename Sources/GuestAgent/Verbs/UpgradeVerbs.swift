// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// `pre_upgrade`, `upgrade`, `post_upgrade`: what the datastore does when an instance gets another version.
///
/// Request: `{"upgrade_info": {"from": version, "to": version, "config_contents": text of the new version}}`; null when done.
/// Timeout: 180 s each. A repeat of one that is done does nothing more.
///
/// A moment at which the datastore has nothing to do passes. The new configuration is kept for the next start in any case.
struct UpgradeVerbs: Sendable {
    let plugins: GuestPlugins
    let supervisor: EngineSupervisor

    func perform(
        _ verb: GuestVerb, _ arguments: [String: JSONValue], deadline: Deadline, context: RequestContext
    ) async throws -> JSONValue {
        let method = verb.rawValue
        guard let info = arguments["upgrade_info"], let from = info["from"]?.stringValue,
            let to = info["to"]?.stringValue, let contents = info["config_contents"]?.stringValue
        else {
            throw RPCFault.typeError(
                "\(method)() argument 'upgrade_info' must be an object with texts 'from', 'to' and 'config_contents'")
        }
        let request: JSONValue = ["from": .string(from), "to": .string(to), "config_contents": .string(contents)]
        func call(_ function: DatastoreFunction, _ document: JSONValue) async throws(PluginError) -> Bool {
            do throws(PluginError) {
                _ = try await plugins.call(function, document, verb: method, deadline: deadline, context: context)
                return true
            } catch  where error.code == .unsupported {
                return false
            }
        }
        switch verb {
        case .preUpgrade:
            try await requireRunning()
            _ = try await call(.preUpgrade, request)
        case .upgrade:
            // The engine's files are the datastore's now.
            try await supervisor.stop(deadline: deadline)
            if try await !call(.upgrade, request) {
                _ = try await call(.applyConfiguration, ["values": [:], "config_contents": .string(contents)])
            }
        default:
            try await requireRunning()
            _ = try await call(.postUpgrade, request)
        }
        return .null
    }

    private func requireRunning() async throws {
        let engine = await supervisor.snapshot
        guard engine.state == .running else {
            throw GuestAgentError(.notReady, "the database is not running; start it, then upgrade")
        }
    }
}
