// SPDX-License-Identifier: Apache-2.0

/// Where sealed backups are kept.
///
/// Shape: a name is `<project id>/<backup id>` or `<project id>/<container>/<backup id>`, components of `A-Z a-z 0-9 . _ -`, neither `.` nor `..`.
/// Every call blocks on the disk; call it on a thread of your own, not on Swift's cooperative pool.
package protocol ObjectStore: Sendable {
    /// Starts writing an object; nothing is seen under `name` before `commit`.
    ///
    /// - Throws: `.invalidName`, `.full`, `.permissionDenied`, `.unavailable`.
    func create(_ name: String) throws(ObjectStoreError) -> any ObjectSink

    /// Opens a published object.
    ///
    /// - Throws: `.invalidName`, `.notFound`, `.permissionDenied`, `.unavailable`.
    func open(_ name: String) throws(ObjectStoreError) -> any ObjectSource

    /// Removes the object and what unfinished writers left of it; an object that is not there is no error.
    func delete(_ name: String) throws(ObjectStoreError)

    /// The names of everything stored, published or unfinished, ascending, each once; `delete` takes each of them.
    func list() throws(ObjectStoreError) -> [String]

    /// The text that names the object to users.
    func location(_ name: String) -> String

    /// The name behind a location; `nil` when it does not lie in this store.
    func name(location: String) -> String?
}

/// An object being written; used by one thread at a time.
package protocol ObjectSink: AnyObject, Sendable {
    /// Appends all of `bytes`. `.full` when the store has no room.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError)
    /// Makes what was written durable and visible under its name, atomically.
    func commit() throws(ObjectStoreError)
    /// Drops what was written; harmless after `commit` and when repeated.
    func abort()
}

/// An object being read; used by one thread at a time.
package protocol ObjectSource: AnyObject, Sendable {
    /// Reads up to `buffer.count` bytes; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectStoreError) -> Int
    /// Ends the reading; harmless when repeated.
    func close()
}
