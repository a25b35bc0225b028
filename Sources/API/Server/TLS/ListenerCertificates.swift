// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOPosix
import NIOSSL
import Synchronization

/// The certificate that new connections get; open ones keep what they began with.
final class ListenerCertificates: Sendable {
    private struct State {
        var pair: CertificatePair?
        /// What was tried last, also in vain.
        var tried: CertificatePair.Stamp?
        /// What the last look found: files that are just being written are left alone.
        var seen: CertificatePair.Stamp?
    }

    private let files: APITLS
    private let logger: Logger
    private let state = Mutex(State())

    init(_ files: APITLS, logger: Logger) {
        self.files = files
        self.logger = logger
    }

    /// - Throws: `ListenerError` before the first `load`.
    func context() throws -> NIOSSLContext {
        guard let pair = state.withLock({ $0.pair }) else { return try load().context }
        return pair.context
    }

    /// Reads the files and serves with them from the next connection on. Blocking.
    ///
    /// - Throws: `ListenerError`; then what was there before stays.
    @discardableResult
    func load() throws(ListenerError) -> CertificatePair {
        let stamp = CertificatePair.Stamp(files)
        state.withLock { state in
            state.tried = stamp
            state.seen = stamp
        }
        let pair = try CertificatePair(reading: files)
        state.withLock { $0.pair = pair }
        for warning in pair.warnings {
            logger.warning("api certificate", metadata: ["error.message": .string(warning)])
        }
        return pair
    }

    /// Reads the files again; a pair that cannot be used is logged, and changes nothing.
    func reload() async {
        do {
            // On the thread pool for files.
            _ = try await NIOThreadPool.singleton.runIfActive { try self.load() }
            logger.notice("api certificate read again", metadata: ["file.path": .string(files.certificateFile)])
        } catch {
            logger.error(
                "api certificate refused, the earlier one stays", metadata: ["error.message": .string("\(error)")])
        }
    }

    /// Looks at the files every `interval`, and reads them once they have changed and rested for one.
    func watch(every interval: Duration) async {
        while (try? await Task.sleep(for: interval)) != nil {
            let stamp = try? await NIOThreadPool.singleton.runIfActive { [files] in CertificatePair.Stamp(files) }
            guard let stamp else { continue }
            let hasChanged = state.withLock { state in
                defer { state.seen = stamp }
                return stamp != state.tried && stamp == state.seen
            }
            if hasChanged { await reload() }
        }
    }
}
