// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// The host's clock. `trove.clock/1`.
public struct HostClock: Sendable {
    /// Nanoseconds since 1970-01-01 UTC; 0 without the service.
    public var nanoseconds: Int64 { Runtime.clock?.pointee.now_ns?() ?? 0 }

    /// Nanoseconds since some start; never goes back.
    public var monotonicNanoseconds: Int64 { Runtime.clock?.pointee.monotonic_ns?() ?? 0 }

    /// Waits.
    ///
    /// - Throws: `PluginFailure` `.cancelled` or `.timedOut` as soon as the call shall stop.
    public func sleep(_ duration: Duration, call: Call) throws {
        guard let sleep = Runtime.clock?.pointee.sleep_ns else { throw Host.missing("trove.clock/1") }
        let (seconds, attoseconds) = duration.components
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds = isTooLong ? Int64.max : product &+ attoseconds / 1_000_000_000
        try Host.check(sleep(call.handle, nanoseconds), "the pause was cut short")
    }
}

extension Host {
    /// Time.
    public static let clock = HostClock()
}
