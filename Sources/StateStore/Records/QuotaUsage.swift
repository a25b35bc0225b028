// SPDX-License-Identifier: Apache-2.0

/// What a project uses now, computed from live rows.
package struct QuotaUsage: Sendable, Hashable {
    package var instances = 0
    package var ramMiB = 0
    package var volumesGiB = 0
    package var backups = 0

    package init() {}
}
