// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Model

/// Reports of the conformance kit that an operator keeps: one file a library, `<sha256>.json`.
///
/// Shape of a report: `{"format": 1, "plugin": {"id", "version", "sha256"}, "passed": bool, "checks": [{"name",
/// "outcome": "passed" | "failed" | "skipped", "message"}]}`.
package struct ConformanceRecord: Sendable {
    package let directory: String

    private static let limit = 16 << 20

    package init(directory: String) { self.directory = directory }

    /// - Throws: `PluginRefusal` with cause `conformance` unless a report about this digest, id and version says that the
    ///   plugin passed.
    func require(_ sha256: String, _ candidate: PluginCandidate) throws(PluginRefusal) {
        let path = "\(directory)/\(sha256).json"
        func refuse(_ message: String) -> PluginRefusal {
            PluginRefusal(path: path, id: candidate.manifest.id, cause: .conformance, message: message)
        }
        let hint = "run 'trove plugin check --record' on the plugin"
        guard !directory.isEmpty, access(path, F_OK) == 0 else {
            throw refuse("no report is on record, and trust.conformance is 'required': \(hint)")
        }
        let root = try SecureFile.openRoot(directory)
        defer { close(root.directory) }
        let file = try SecureFile.openFile("\(sha256).json", in: root.directory, path: path)
        defer { close(file) }
        guard let bytes = SecureFile.contents(file, limit: Self.limit), let report = try? JSONValue(parsing: bytes),
            report["format"]?.intValue == 1
        else { throw refuse("is no report of format 1: \(hint)") }
        let manifest = candidate.manifest
        guard report["plugin"]?["sha256"]?.stringValue == sha256,
            report["plugin"]?["id"]?.stringValue == manifest.id,
            report["plugin"]?["version"]?.stringValue == manifest.version
        else { throw refuse("is a report about another plugin than \(manifest.reference): \(hint)") }
        guard report["passed"]?.boolValue == true else {
            let failed = (report["checks"]?.arrayValue ?? []).filter { $0["outcome"]?.stringValue == "failed" }
            let names = failed.compactMap { $0["name"]?.stringValue }.prefix(5).joined(separator: ", ")
            throw refuse("the plugin did not pass: \(failed.count) findings (\(names))")
        }
    }

    /// Puts a report on record under its plugin's digest, 0600, in one piece.
    ///
    /// - Returns: The file.
    /// - Throws: `invalidArgument` for what is no report, `unavailable` when it cannot be written.
    package func store(_ report: JSONValue) throws(PluginError) -> String {
        guard report["format"]?.intValue == 1, let sha256 = report["plugin"]?["sha256"]?.stringValue,
            PluginTrust.isDigest(sha256), report["passed"]?.boolValue != nil
        else { throw PluginError(.invalidArgument, "this is no report of format 1") }
        let path = "\(directory)/\(sha256).json"
        _ = mkdir(directory, 0o700)
        guard PrivateFile.write(report.serialized, to: path) else {
            throw PluginError(.unavailable, "\(path): \(SecureFile.reason("cannot be written"))")
        }
        return path
    }
}
