// SPDX-License-Identifier: Apache-2.0

/// Where a backup is in its life; the raw value is stored and shown. Source: state machine §4.2.
package enum BackupState: String, Sendable, CaseIterable {
    case new = "NEW"
    case building = "BUILDING"
    case saving = "SAVING"
    case completed = "COMPLETED"
    case failed = "FAILED"
    case restored = "RESTORED"
    case deleteFailed = "DELETE_FAILED"

    package var isRunning: Bool { self == .new || self == .building || self == .saving }
    package var isUsable: Bool { self == .completed || self == .restored }
}
