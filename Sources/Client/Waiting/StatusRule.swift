// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a resource's status says about an operation on it.
package struct StatusRule: Sendable {
    package enum Verdict: Sendable, Hashable {
        case working
        case done
        /// With the reason.
        case failed(String)
        /// Failed, unless it changes soon: the guest's word may be older than the operation.
        case doubtful(String)
    }

    /// The status to show.
    package let status: @Sendable (JSONValue) -> String
    package let verdict: @Sendable (JSONValue) -> Verdict

    package init(
        status: @escaping @Sendable (JSONValue) -> String, verdict: @escaping @Sendable (JSONValue) -> Verdict
    ) {
        self.status = status
        self.verdict = verdict
    }

    /// `status` is final when it is ACTIVE, with an engine that runs, RESTART_REQUIRED, ERROR or FAILED.
    package static let instance = StatusRule(
        status: { $0["status"]?.stringValue ?? "UNKNOWN" },
        verdict: { object in
            switch object["status"]?.stringValue {
            case "RESTART_REQUIRED", "HEALTHY": return .done
            case "ERROR", "FAILED":
                return .failed(object["fault"]?["message"]?.stringValue ?? "the instance is in ERROR, without a fault")
            case "ACTIVE": break
            default: return .working
            }
            switch object["operating_status"]?.stringValue {
            case nil, "HEALTHY", "ACTIVE", "RESTART_REQUIRED": return .done
            case "SHUTDOWN", "ERROR", "FAILED", "BLOCKED":
                let status = object["operating_status"]?.stringValue ?? ""
                return .doubtful(object["fault"]?["message"]?.stringValue ?? "the database server is \(status)")
            default: return .working
            }
        })

    package static let backup = StatusRule(
        status: { $0["status"]?.stringValue ?? "UNKNOWN" },
        verdict: { object in
            switch object["status"]?.stringValue {
            case "COMPLETED", "RESTORED": .done
            case "FAILED", "DELETE_FAILED", "ERROR": .failed("the backup is \(object["status"]?.stringValue ?? "")")
            default: .working
            }
        })

    /// A cluster works as long as it has a task, and has failed when one of its instances has.
    package static let cluster = StatusRule(
        status: { $0["task"]?["name"]?.stringValue ?? "NONE" },
        verdict: { object in
            guard object["task"]?["name"]?.stringValue ?? "NONE" == "NONE" else { return .working }
            let failed = (object["instances"]?.arrayValue ?? []).filter { $0["status"] == "ERROR" }
            guard !failed.isEmpty else { return .done }
            let names = failed.compactMap { $0["name"]?.stringValue }.joined(separator: ", ")
            return .failed("these instances of the cluster are in ERROR: \(names)")
        })
}
