// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The engine's error codes in the boundary's words.
///
/// Source: PostgreSQL manual, appendix "PostgreSQL Error Codes".
enum EngineError {
    /// The failure that an error code stands for; the code is in `details` as `sqlstate`.
    static func failure(code: String, text: String, purpose: String) -> PluginFailure {
        PluginFailure(
            status(code), "\(purpose): \(text)\(code.isEmpty ? "" : " (\(code))")",
            details: code.isEmpty ? nil : ["sqlstate": .string(code)])
    }

    /// The failure of a login, from the client library's message in its verbose form: the server's own error is in it as
    /// `FATAL:  CODE: text`.
    static func login(message: String, purpose: String) -> PluginFailure {
        let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason is known"
        guard let fatal = line.range(ofText: "FATAL:  ") else {
            return PluginFailure(.unavailable, "\(purpose): \(line)")
        }
        let parts = line[fatal...].split(separator: ":", maxSplits: 1)
        let code = parts.first.map(String.init) ?? ""
        let text = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : line
        return failure(code: code, text: text, purpose: purpose)
    }

    /// The error code of a failure, if the engine gave one.
    static func code(of failure: PluginFailure) -> String? { failure.details?["sqlstate"]?.stringValue }

    /// The role still owns something, or something depends on it.
    static let dependentObjects = "2BP01"
    /// The password is not the role's.
    static let wrongPassword = "28P01"
    /// The server is starting, stopping or recovering.
    static let cannotConnectNow = "57P03"

    private static func status(_ code: String) -> PluginStatus {
        switch code {
        case "42P04", "42710": .alreadyExists
        case "3D000", "42704": .notFound
        case "22023", "22021", "42809", "22P05", "42601", "42602", "42622", "42939", "42P17": .invalidArgument
        case "40001", "40P01", "55006", "55P03": .busy
        case "25006", "55000", dependentObjects: .preconditionFailed
        case "57014": .timedOut
        case "0A000": .unsupported
        case "42501": .permissionDenied
        default:
            switch code.prefix(2) {
            case "08", "57": .unavailable
            case "28": .permissionDenied
            case "53": .exhausted
            default: .internal
            }
        }
    }
}

extension String {
    /// The index behind the first occurrence of `text`.
    fileprivate func range(ofText text: String) -> Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
