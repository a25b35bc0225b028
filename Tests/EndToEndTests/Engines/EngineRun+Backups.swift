// SPDX-License-Identifier: Apache-2.0

import Model
import Synchronization
import Testing

extension EngineRun {
    var noBackup: TestFailure { TestFailure("there is no backup; 'backup create' comes first") }

    func createBackup() async throws {
        if engine.has(.backupCreate) {
            try await tenant().write(Self.clerk, database: writtenDatabase, at: try await address())
            let content = try await content(Self.instance)
            state.withLock { $0.content = content }
        }
        let made = try await database("backup", "create", "evening", "--instance", Self.instance, "-f", "json")
        let id = try #require(made["id"]?.stringValue)
        try await eventually(120, "the backup is complete") {
            let backup = try await database("backup", "show", id, "-f", "json")
            if backup["status"] == "FAILED" { throw TestFailure("the backup failed: \(backup.text)") }
            return backup["status"] == "COMPLETED"
        }
        state.withLock { $0.backupID = id }
    }

    func listBackups() async throws {
        let id = try backupID()
        #expect(try await column("ID", "backup", "list") == [id])
    }

    func showBackup() async throws {
        let backup = try await database("backup", "show", try backupID(), "-f", "json")
        #expect(backup["name"] == "evening" && backup["status"] == "COMPLETED")
        #expect(backup["datastore"]?.stringValue == engine.datastore)
        #expect((backup["size"]?.doubleValue ?? 0) > 0)
    }

    func deleteBackup() async throws {
        try await database("backup", "delete", try backupID())
        try await eventually(60, "the backup is gone") { try await column("ID", "backup", "list").isEmpty }
    }

    private func backupID() throws -> String {
        let id = state.withLock { $0.backupID }
        guard !id.isEmpty else { throw noBackup }
        return id
    }
}
