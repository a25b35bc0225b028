// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

/// The rows of state machine §1.
@Suite("Stored states")
struct ServiceStatusTests {
    private static let rows: [(code: Int, wire: String, api: String, allowsActions: Bool)] = [
        (0x01, "running", "ACTIVE", true), (0x02, "blocked", "BLOCKED", true), (0x03, "paused", "SHUTDOWN", false),
        (0x04, "shutdown", "SHUTDOWN", true), (0x05, "deleted", "DELETED", false), (0x06, "crashed", "SHUTDOWN", true),
        (0x08, "failed to spawn", "FAILED", false), (0x09, "building", "BUILD", false),
        (0x10, "promoting replica", "PROMOTE", false), (0x11, "ejecting replica source", "EJECT", false),
        (0x12, "transferring guest logs", "LOGGING", false), (0x16, "unknown", "ERROR", false),
        (0x17, "new", "NEW", false),
        (0x18, "guestagent error", "ERROR", false), (0x19, "instance ready", "BUILD", false),
        (0x20, "restart required", "RESTART_REQUIRED", true), (0x21, "healthy", "HEALTHY", true),
        (0x22, "restarting", "RESTARTING", false),
    ]

    @Test("every service status has the code and the words of the table")
    func serviceStatuses() {
        #expect(ServiceStatus.allCases.count == Self.rows.count)
        for row in Self.rows {
            let status = ServiceStatus(rawValue: row.code)
            #expect(status?.text == row.wire)
            #expect(status?.apiStatus == row.api)
            #expect(status?.allowsActions == row.allowsActions)
            #expect(status?.isDatastoreRunning == (row.code == 0x01 || row.code == 0x21))
            #expect(ServiceStatus(text: row.wire) == status)
        }
        #expect(ServiceStatus(text: "Running") == nil)
        #expect(ServiceStatus(rawValue: 0x07) == nil)
    }

    @Test("every task has its code, an action word and a sentence")
    func tasks() {
        #expect(InstanceTask.allCases.map(\.rawValue) == Array(0x01...0x0c) + Array(0x50...0x5d))
        for task in InstanceTask.allCases {
            #expect(!task.text.isEmpty)
            #expect(task == .none || task.action != "NONE")
        }
        #expect(InstanceTask.buildingErrorTimeoutGuest.action == "ERROR")
        #expect(InstanceTask.buildingErrorSecurityGroup.text == "Build error: Secgroup or rule.")
        #expect(!InstanceTask.upgrading.isError)
        #expect(InstanceTask.upgradingError.isError)
    }

    @Test("backups run or are usable as in the table")
    func backups() {
        #expect(BackupState.allCases.filter(\.isRunning) == [.new, .building, .saving])
        #expect(BackupState.allCases.filter(\.isUsable) == [.completed, .restored])
    }
}
