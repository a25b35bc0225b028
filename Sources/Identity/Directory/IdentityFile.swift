// SPDX-License-Identifier: Apache-2.0

import Model

/// `identity.json` in the secrets directory; blocking.
struct IdentityFile: Sendable {
    static let name = "identity.json"
    private static let lock = "identity.lock"

    let files: PrivateFiles

    var stamp: PrivateFiles.Stamp? { files.stamp(Self.name) }

    /// `nil` before the first start.
    func load() throws(IdentityError) -> IdentityDirectory? {
        guard let content = try files.read(Self.name) else { return nil }
        let json: JSONValue
        do { json = try JSONValue(parsing: content) } catch {
            throw IdentityError(.files, "\(files.path(Self.name)) is not JSON: \(error.message).")
        }
        return try IdentityDirectory(json: json)
    }

    /// Reads, changes and writes under a lock that every process takes.
    ///
    /// - Parameter body: Gets `nil` before the first start; what it leaves in its place is written.
    func edit<Value>(
        _ body: (inout IdentityDirectory?) throws(IdentityError) -> Value
    ) throws(IdentityError) -> Value {
        try files.makeDirectory()
        return try files.locked(Self.lock) { () throws(IdentityError) -> Value in
            let old = try load()
            var directory = old
            let value = try body(&directory)
            if let directory, directory != old { try files.write(Self.name, directory.json.serialized) }
            return value
        }
    }
}
