// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

/// Why an object could not be written, read, sealed or unsealed.
package struct ObjectStoreError: Error, Sendable {
    package struct Code: Sendable, Hashable {
        private enum Value {
            case notFound, invalidName, corrupt, full, cancelled, outputClosed, permissionDenied, key, unavailable
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// No such object.
        package static let notFound = Code(.notFound)
        /// A name that is not two plain components.
        package static let invalidName = Code(.invalidName)
        /// The object is not what was sealed under this backup id and key.
        package static let corrupt = Code(.corrupt)
        /// No room left in the store.
        package static let full = Code(.full)
        /// The caller asked to stop.
        package static let cancelled = Code(.cancelled)
        /// The reader of the output went away.
        package static let outputClosed = Code(.outputClosed)
        /// The process may not touch the file.
        package static let permissionDenied = Code(.permissionDenied)
        /// A key is missing, malformed or does not fit.
        package static let key = Code(.key)
        /// The system refused for a reason that may pass.
        package static let unavailable = Code(.unavailable)
    }

    package var code: Code
    /// One sentence for operators, without secrets.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var isRetryable: Bool { code == .unavailable }
}

extension ObjectStoreError: CustomStringConvertible {
    package var description: String { message }
}

extension ObjectStoreError {
    /// The error for a failed system call. Source: errno(3).
    init(errno number: Int32, _ action: String, path: String) {
        let reason = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            self.init(
                .full, "No room left while trying to \(action) \(path); free space or give the store a larger disk.")
        case ENOENT: self.init(.notFound, "Cannot \(action) \(path): it does not exist.")
        case EACCES, EPERM, EROFS, ELOOP: self.init(.permissionDenied, "Cannot \(action) \(path): \(reason).")
        case EPIPE, ECONNRESET: self.init(.outputClosed, "Cannot \(action) \(path): its reader is gone.")
        default: self.init(.unavailable, "Cannot \(action) \(path): \(reason).")
        }
    }
}
