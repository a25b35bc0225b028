// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// How a call ended: the boundary's closed list of statuses, of which the host derives retries and HTTP codes.
///
/// Source: `trove_status` in `trove_plugin.h`.
public struct PluginStatus: Sendable, Hashable {
    /// The number that crosses the boundary.
    public var code: Int32

    init(_ code: Int) { self.code = Int32(code) }
    init(code: Int32) { self.code = code }

    /// Done.
    public static let ok = PluginStatus(TROVE_OK)
    /// The input is wrong by itself.
    public static let invalidArgument = PluginStatus(TROVE_INVALID_ARGUMENT)
    /// The named thing is absent.
    public static let notFound = PluginStatus(TROVE_NOT_FOUND)
    /// The name is taken with different content.
    public static let alreadyExists = PluginStatus(TROVE_ALREADY_EXISTS)
    /// This plugin has no such operation.
    public static let unsupported = PluginStatus(TROVE_UNSUPPORTED)
    /// Right request, wrong state.
    public static let preconditionFailed = PluginStatus(TROVE_PRECONDITION_FAILED)
    /// Asked to stop, and did.
    public static let cancelled = PluginStatus(TROVE_CANCELLED)
    /// A deadline passed; may be repeated.
    public static let timedOut = PluginStatus(TROVE_TIMED_OUT)
    /// Another operation holds it; may be repeated.
    public static let busy = PluginStatus(TROVE_BUSY)
    /// The engine or a service cannot be reached; may be repeated.
    public static let unavailable = PluginStatus(TROVE_UNAVAILABLE)
    /// Refused by the engine.
    public static let permissionDenied = PluginStatus(TROVE_PERMISSION_DENIED)
    /// Disk, connections or a quota are used up.
    public static let exhausted = PluginStatus(TROVE_EXHAUSTED)
    /// A bug, or unknown.
    public static let `internal` = PluginStatus(TROVE_INTERNAL)
}

/// Why a plugin's function failed; thrown by plugin code, turned into `host->fail` at the boundary.
public struct PluginFailure: Error, Sendable {
    /// The class of the failure.
    public var status: PluginStatus
    /// One sentence for operators, without secrets.
    public var message: String
    /// Facts for programs, an object, e.g. `{"errno": 1045}`; `nil` for none.
    public var details: JSON?
    /// The host has recorded the failure already: only the status is returned.
    public var isRecorded: Bool

    /// A failure of `status`, told by `message`.
    public init(_ status: PluginStatus, _ message: String, details: JSON? = nil) {
        self.status = status
        self.message = message
        self.details = details
        isRecorded = false
    }

    /// The failure of a host service that recorded it by itself.
    init(recorded status: PluginStatus, message: String) {
        self.init(status, message)
        isRecorded = true
    }

    /// The message as it crosses the boundary: one line of at most 1,000 characters, whatever a caller's name put into it.
    var sentence: String {
        let line = message.unicodeScalars.prefix(1000).map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(line) + (line.count < message.unicodeScalars.count ? "…" : "")
    }

    /// The operation that this plugin does not have.
    public static func unsupported(_ operation: String) -> PluginFailure {
        PluginFailure(.unsupported, "\(operation) is not supported")
    }
}
