// SPDX-License-Identifier: Apache-2.0

package import Model

/// Objects that guests publish for their projects, by container.
package protocol PublishedObjects: Sendable {
    /// Those whose names begin with `prefix`, in ascending order of the names' bytes; none for a container that is not there.
    ///
    /// - Throws: `APIFault`.
    func list(_ container: String, project: String, prefix: String) async throws(APIFault) -> [PublishedObject]

    /// The object's bytes and when it was stored; nil when it is not there.
    ///
    /// - Throws: `APIFault`.
    func read(
        _ container: String, project: String, name: String
    ) async throws(APIFault) -> (bytes: [UInt8], modified: Timestamp)?
}

/// One object as a list tells of it.
package struct PublishedObject: Sendable, Hashable {
    package var name: String
    package var bytes: Int
    package var modified: Timestamp

    package init(name: String, bytes: Int, modified: Timestamp) {
        self.name = name
        self.bytes = bytes
        self.modified = modified
    }
}

/// Where nothing can be published.
package struct NoObjects: PublishedObjects {
    package init() {}
    package func list(
        _ container: String, project: String, prefix: String
    ) async throws(APIFault) -> [PublishedObject] { [] }
    package func read(
        _ container: String, project: String, name: String
    ) async throws(APIFault) -> (bytes: [UInt8], modified: Timestamp)? { nil }
}
