// SPDX-License-Identifier: Apache-2.0

package import StateStore

/// Work that one process of several does at a time, as long as it holds the lease of that name.
package struct LeasedRole: Sendable {
    /// The lease's name, such as `reaper` or `taskmanager/a`.
    package var name: String
    /// Its holder renews it three times as often; a dead holder is followed by another after this and a look or two.
    package var lease: Duration
    /// The work. Cancelled when the role is lost; the role is kept when it returns before that.
    package var run: @Sendable () async -> Void
    /// Told, once for each holder, that another one has it.
    package var isElsewhere: @Sendable (LeaseRecord) -> Void

    package init(
        _ name: String, lease: Duration, run: @Sendable @escaping () async -> Void,
        isElsewhere: @Sendable @escaping (LeaseRecord) -> Void = { _ in }
    ) {
        self.name = name
        self.lease = lease
        self.run = run
        self.isElsewhere = isElsewhere
    }
}
