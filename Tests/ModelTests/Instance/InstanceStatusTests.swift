// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

/// The rows of state machine §2, §2.1.
@Suite("What an instance reports")
struct InstanceStatusTests {
    private static let now = Timestamp(microseconds: 1_600_000_000_000_000)
    private static let servers: [ServerStatus] = [
        .build, .active, .error, .reboot, .resize, .verifyResize, .shutdown, .deleted, .unknown,
    ]

    private func status(
        _ task: InstanceTask, _ server: ServerStatus = .active, service: ServiceStatus = .healthy, backup: Bool = false,
        age: Duration = .zero
    ) -> InstanceStatus {
        InstanceStatus(
            task: task, service: service, server: server,
            heartbeat: Timestamp(microseconds: Self.now.microseconds - age.microseconds),
            backupIsRunning: backup)
    }

    @Test("row 1: an error task is ERROR whatever else holds")
    func errorTasks() {
        let errors = InstanceTask.allCases.filter(\.isError)
        #expect(errors.map(\.rawValue) == Array(0x50...0x58) + Array(0x5a...0x5d))
        for task in errors {
            for server in Self.servers {
                for backup in [false, true] { #expect(status(task, server, backup: backup).status == "ERROR") }
            }
        }
    }

    @Test("row 2: building is BUILD, unless the server failed")
    func building() {
        for server in Self.servers {
            #expect(status(.building, server, backup: true).status == (server == .error ? "ERROR" : "BUILD"))
        }
    }

    @Test(
        "rows 3 and 4: these tasks have their own word whatever the server says",
        arguments: [
            (InstanceTask.rebooting, "REBOOT"), (.resizing, "RESIZE"), (.upgrading, "UPGRADE"),
            (.restartRequired, "RESTART_REQUIRED"), (.promoting, "PROMOTE"), (.ejecting, "EJECT"),
            (.detaching, "DETACH"),
            (.logging, "LOGGING"),
        ])
    func ownWord(task: InstanceTask, word: String) {
        for server in Self.servers {
            for backup in [false, true] { #expect(status(task, server, backup: backup).status == word) }
        }
    }

    @Test("row 5: deleting is SHUTDOWN while the server is up, down or gone, else ERROR")
    func deleting() {
        for server in Self.servers {
            let isFine = [.active, .shutdown, .deleted].contains(server)
            #expect(status(.deleting, server, backup: true).status == (isFine ? "SHUTDOWN" : "ERROR"))
        }
    }

    @Test(
        "rows 6 to 9: else a running backup, else the server's word",
        arguments: [InstanceTask.none, .migrating, .updating])
    func serverWord(task: InstanceTask) {
        let words = ["BUILD", "ACTIVE", "ERROR", "REBOOT", "RESIZE", "RESIZE", "SHUTDOWN", "UNKNOWN", "UNKNOWN"]
        for (server, word) in zip(Self.servers, words) {
            #expect(status(task, server).status == word)
            #expect(status(task, server, backup: true).status == "BACKUP")
        }
    }

    @Test("the operating status is the service's word when nothing runs and the server is active, else empty")
    func operatingStatus() {
        for service in ServiceStatus.allCases {
            let word = status(.none, service: service, backup: true).operatingStatus(
                now: Self.now, expiry: .seconds(90))
            #expect(word == service.apiStatus)
        }
        for task in InstanceTask.allCases where task != .none {
            #expect(status(task).operatingStatus(now: Self.now, expiry: .seconds(90)) == "")
        }
        for server in Self.servers where server != .active {
            #expect(status(.none, server).operatingStatus(now: Self.now, expiry: .seconds(90)) == "")
        }
    }

    @Test("a heartbeat expires at its age, except under RESTART_REQUIRED or a task")
    func expiry() {
        let expiry = Duration.seconds(90)
        func word(_ age: Duration, _ service: ServiceStatus = .healthy) -> String {
            status(.none, service: service, age: age).operatingStatus(now: Self.now, expiry: expiry)
        }
        #expect(word(.seconds(90) - .microseconds(1)) == "HEALTHY")
        #expect(word(.seconds(90)) == "ERROR")
        #expect(word(.seconds(9000), .restartRequired) == "RESTART_REQUIRED")
        let busy = status(.rebooting, service: .restarting, age: .seconds(9000))
        #expect(busy.effectiveService(now: Self.now, expiry: expiry) == .restarting)
        #expect(status(.none, age: .seconds(90)).status == "ACTIVE")
    }

    @Test("an action is possible on an idle, active instance whose service allows it")
    func actions() {
        for service in ServiceStatus.allCases {
            #expect((status(.none, service: service).unavailability == nil) == service.allowsActions)
        }
        #expect(status(.restartRequired).unavailability == nil)
        #expect(status(.none, .shutdown).unavailability == "(instance status was SHUTDOWN)")
        #expect(status(.rebooting).unavailability == "(task status was REBOOTING)")
        #expect(status(.none, service: .new).unavailability == "(instance status was ACTIVE)")
        #expect(status(.none, backup: true).unavailability == "(instance status was BACKUP)")
    }
}
