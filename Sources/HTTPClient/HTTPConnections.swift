// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Connections that stay open between exchanges, and what was read in order to trust them.
///
/// A connection with TLS costs its handshake, and parsing the system's authorities costs ten times that; kept, both are paid
/// once. Whatever a server closed meanwhile is replaced without a word. Source: libcurl-multi(3), "connection cache";
/// CURLOPT_CA_CACHE_TIMEOUT(3).
package final class HTTPConnections: Sendable {
    /// Unchecked: a handle is either in `idle`, under its lock, or with the one exchange that took it.
    struct Handle: @unchecked Sendable {
        let multi: CurlLibrary.Multi
    }

    private let idle = Mutex<[Handle]>([])
    private let limit: Int

    /// - Parameter limit: Exchanges at the same time whose connections are kept; those of more are closed.
    package init(limit: Int = 8) { self.limit = limit }

    deinit {
        // A handle is here only after the library has made it.
        guard let library = try? CurlLibrary.get() else { return }
        for handle in idle.withLock({ $0 }) { _ = library.multiEnd(handle.multi) }
    }

    /// What was used last, for its connection is the likeliest to be open.
    func take() -> Handle? { idle.withLock { $0.popLast() } }

    func give(_ handle: Handle, _ library: CurlLibrary) {
        let isKept = idle.withLock { idle in
            guard idle.count < limit else { return false }
            idle.append(handle)
            return true
        }
        if !isKept { _ = library.multiEnd(handle.multi) }
    }
}
