// SPDX-License-Identifier: Apache-2.0

package import Model

/// Why a plugin did not do what was asked.
package struct PluginError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The statuses of the boundary, and `crashed`, which no plugin can report itself.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, CaseIterable {
            case invalidArgument = "invalid_argument"
            case notFound = "not_found"
            case alreadyExists = "already_exists"
            case unsupported
            case preconditionFailed = "precondition_failed"
            case cancelled
            case timedOut = "timed_out"
            case busy
            case unavailable
            case permissionDenied = "permission_denied"
            case exhausted
            case `internal`
            case crashed
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The input is wrong by itself.
        package static let invalidArgument = Code(.invalidArgument)
        /// The named thing, or the plugin itself, is absent.
        package static let notFound = Code(.notFound)
        /// The name is taken with different content.
        package static let alreadyExists = Code(.alreadyExists)
        /// The plugin has no such operation.
        package static let unsupported = Code(.unsupported)
        /// Right request, wrong state.
        package static let preconditionFailed = Code(.preconditionFailed)
        /// Asked to stop, and did.
        package static let cancelled = Code(.cancelled)
        /// A deadline passed.
        package static let timedOut = Code(.timedOut)
        /// Another operation holds it.
        package static let busy = Code(.busy)
        /// The engine, a service or the plugin runner cannot be reached.
        package static let unavailable = Code(.unavailable)
        /// Refused by the engine.
        package static let permissionDenied = Code(.permissionDenied)
        /// Disk, connections, quota, or one of the host's own limits.
        package static let exhausted = Code(.exhausted)
        /// A bug, or a status that this host does not know.
        package static let `internal` = Code(.internal)
        /// The plugin's code trapped; the process it ran in is gone.
        package static let crashed = Code(.crashed)

        /// Snake case, as it crosses processes.
        package var description: String { value.rawValue }

        package init?(text: String) {
            guard let value = Value(rawValue: text) else { return nil }
            self.value = value
        }

        /// From a `trove_status`; nil for `TROVE_OK`, `TROVE_PENDING` and numbers that this host does not know.
        init?(status: Int32) {
            guard status >= 1, status <= 12 else { return nil }
            value = Value.allCases[Int(status) - 1]
        }

        /// The `trove_status`; `crashed` is `TROVE_INTERNAL`.
        var status: Int32 {
            Int32((Value.allCases.firstIndex(of: value) ?? 11) + 1).clamped(to: 1...12)
        }
    }

    package var code: Code
    /// The plugin that failed; empty when no plugin is to blame.
    package var pluginID: String
    /// One sentence for operators, without secrets.
    package var message: String
    /// What the plugin adds, a JSON object.
    package var details: JSONValue?

    package init(_ code: Code, pluginID: String = "", _ message: String, details: JSONValue? = nil) {
        self.code = code
        self.pluginID = pluginID
        self.message = message
        self.details = details
    }

    /// Whether the same call may succeed later.
    package var isRetryable: Bool { code == .timedOut || code == .busy || code == .unavailable }

    package var description: String {
        pluginID.isEmpty ? "\(code): \(message)" : "plugin '\(pluginID)': \(code): \(message)"
    }
}

extension Comparable {
    func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}

extension PluginError {
    /// `{"code", "plugin", "message", "details"}`.
    package var json: JSONValue {
        .object([
            "code": .string(code.description), "plugin": .string(pluginID), "message": .string(message),
            "details": details ?? .null,
        ])
    }

    /// Reads `json`; anything else becomes an internal error.
    package init(json: JSONValue) {
        self.init(
            json["code"]?.stringValue.flatMap(Code.init(text:)) ?? .internal,
            pluginID: json["plugin"]?.stringValue ?? "",
            json["message"]?.stringValue ?? "unreadable failure",
            details: json["details"].flatMap { $0.isNull ? nil : $0 }
        )
    }
}
