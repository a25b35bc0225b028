// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model

/// Digests of libraries whose trial load went well, kept on disk so that agents and runners need not repeat it.
///
/// Shape: one file a digest, `{"format": 1, "host", "abi", "swift"}`. An entry counts only when nobody else can have written
/// it, and only for the release of the host that wrote it.
struct ProbedDigests {
    /// Empty: nothing is kept.
    let directory: String
    let hostVersion: String

    func contains(_ sha256: String) -> Bool {
        guard !directory.isEmpty, access(directory, F_OK) == 0,
            let root = try? SecureFile.openRoot(directory)
        else { return false }
        defer { close(root.directory) }
        guard let file = try? SecureFile.openFile(sha256, in: root.directory, path: "\(directory)/\(sha256)") else {
            return false
        }
        defer { close(file) }
        return SecureFile.contents(file, limit: 4096) == entry
    }

    /// What cannot be kept is tried again by the next process.
    func add(_ sha256: String) {
        guard !directory.isEmpty else { return }
        _ = mkdir(directory, 0o700)
        _ = PrivateFile.write(entry, to: "\(directory)/\(sha256)")
    }

    private var entry: [UInt8] {
        let value: JSONValue = [
            "format": 1, "host": .string(hostVersion), "abi": .string("\(TROVE_ABI_MAJOR).\(TROVE_ABI_MINOR)"),
            "swift": .string(HostPlatform.swift),
        ]
        return value.serialized
    }
}
