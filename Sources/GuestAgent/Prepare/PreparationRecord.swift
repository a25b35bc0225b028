// SPDX-License-Identifier: Apache-2.0

import Calls
import Model

/// How far the instance's preparation is.
package enum PreparationState: Sendable, Hashable {
    case unprepared
    case running
    case prepared
    /// With the reason, as a sentence.
    case failed(String)
}

/// The files that let a later agent go on with a preparation, or know its outcome.
///
/// Shape: `prepared`: `{"prepared": time}`, there once the instance is prepared. `prepare.json`, before that:
/// `{"state": "running", "stage": int, "arguments": prepare's, secrets included, "request_id", "user_id", "project_id"}`
/// or `{"state": "failed", "message"}`. Both 0600 in a 0700 directory.
struct PreparationRecord: Sendable {
    /// The step that is done.
    enum Stage: Int, Sendable, Comparable, CaseIterable {
        case begun
        /// The data directory holds the backup.
        case restored
        /// The datastore has prepared the data directory.
        case datastorePrepared

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// What is being done.
    struct Work: Sendable {
        var arguments: PrepareArguments
        var context: RequestContext
        var stage: Stage
    }

    enum Content: Sendable {
        case none
        case running(Work)
        case prepared
        case failed(String)
    }

    private let marker: String
    private let file: String

    init(stateDirectory: String) {
        marker = stateDirectory + "/prepared"
        file = stateDirectory + "/prepare.json"
    }

    /// - Throws: `.storage`, also for a record that cannot be understood.
    func read() throws(GuestAgentError) -> Content {
        if FileAccess.exists(marker) { return .prepared }
        guard let json = try FileAccess.readJSON(file) else { return .none }
        if let message = json["message"]?.stringValue { return .failed(message) }
        guard let members = json["arguments"]?.objectValue, let arguments = try? PrepareArguments(arguments: members),
            let stage = json["stage"]?.intValue.flatMap(Stage.init(rawValue:))
        else { throw GuestAgentError(.storage, "'\(file)' cannot be understood: send prepare again") }
        let context = RequestContext(
            requestID: json["request_id"]?.stringValue ?? "", userID: json["user_id"]?.stringValue ?? "",
            projectID: json["project_id"]?.stringValue ?? "")
        return .running(Work(arguments: arguments, context: context, stage: stage))
    }

    func write(_ work: Work) throws(GuestAgentError) {
        try FileAccess.writeJSON(
            [
                "state": "running", "stage": .int(Int64(work.stage.rawValue)),
                "arguments": .object(work.arguments.arguments), "request_id": .string(work.context.requestID),
                "user_id": .string(work.context.userID), "project_id": .string(work.context.projectID),
            ], to: file)
    }

    func writeFailed(_ message: String) throws(GuestAgentError) {
        try FileAccess.writeJSON(["state": "failed", "message": .string(message)], to: file)
    }

    func writePrepared() throws(GuestAgentError) {
        try FileAccess.writeJSON(["prepared": .string(SystemWallClock().now.description)], to: marker)
        try FileAccess.remove(file)
    }
}
