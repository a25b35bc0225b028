// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import TestSupport
import Testing

@testable import ObjectStore

@Suite("Project keys")
struct ProjectKeysTests {
    private func code(_ body: () throws -> Void) -> ObjectStoreError.Code? {
        do { try body() } catch { return (error as? ObjectStoreError)?.code }
        return nil
    }

    @Test("a wrapped key comes back for its project and backup alone")
    func wrapping() async throws {
        try await withTemporaryDirectory { path in
            let keys = ProjectKeys(directory: path + "/keys")
            let (key, wrapped) = try keys.makeDataKey(projectID: "p1", backupID: "b1")
            let (other, _) = try keys.makeDataKey(projectID: "p2", backupID: "b1")
            #expect(key.count == 32 && key != other)
            #expect(wrapped.count == 65 && !wrapped.hex.contains(key.hex))
            #expect(try keys.unwrap(wrapped, projectID: "p1", backupID: "b1") == key)
            #expect(code { _ = try keys.unwrap(wrapped, projectID: "p2", backupID: "b1") } == .key)
            #expect(code { _ = try keys.unwrap(wrapped, projectID: "p1", backupID: "b2") } == .key)
            #expect(code { _ = try keys.unwrap(wrapped, projectID: "p3", backupID: "b1") } == .key)
            #expect(code { _ = try keys.unwrap(wrapped, projectID: "../p", backupID: "b1") } == .invalidName)
            for index in wrapped.indices {
                var changed = wrapped
                changed[index] ^= 1
                #expect(code { _ = try keys.unwrap(changed, projectID: "p1", backupID: "b1") } == .key)
            }
        }
    }

    @Test("key files are private, and others' rights are refused")
    func modes() async throws {
        try await withTemporaryDirectory { path in
            let keys = ProjectKeys(directory: path + "/keys")
            _ = try keys.makeDataKey(projectID: "p1", backupID: "b1")
            var status = stat()
            #expect(stat(path + "/keys/p1.key", &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o600)
            #expect(stat(path + "/keys", &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o700)
            chmod(path + "/keys/p1.key", 0o640)
            #expect(code { _ = try keys.makeDataKey(projectID: "p1", backupID: "b2") } == .permissionDenied)
        }
    }

    @Test("after a rotation new backups use the new key and old ones stay readable")
    func rotation() async throws {
        try await withTemporaryDirectory { path in
            let keys = ProjectKeys(directory: path)
            let (key, wrapped) = try keys.makeDataKey(projectID: "p1", backupID: "b1")
            #expect(try keys.rotate(projectID: "p1") == 2)
            let (newKey, newWrapped) = try keys.makeDataKey(projectID: "p1", backupID: "b2")
            #expect(Array(wrapped[1..<5]) == [0, 0, 0, 1])
            #expect(Array(newWrapped[1..<5]) == [0, 0, 0, 2])
            #expect(try keys.unwrap(wrapped, projectID: "p1", backupID: "b1") == key)
            #expect(try keys.unwrap(newWrapped, projectID: "p1", backupID: "b2") == newKey)
        }
    }

    @Test("many first users of a project agree on its key")
    func race() async throws {
        try await withTemporaryDirectory { path in
            let keys = ProjectKeys(directory: path)
            let pairs = try await withThrowingTaskGroup(of: (dataKey: [UInt8], wrapped: [UInt8]).self) { group in
                for _ in 0..<16 { group.addTask { try keys.makeDataKey(projectID: "p1", backupID: "b1") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for pair in pairs {
                #expect(try keys.unwrap(pair.wrapped, projectID: "p1", backupID: "b1") == pair.dataKey)
            }
        }
    }

    @Test(
        "a damaged key file is refused and not replaced",
        arguments: ["", "1 abc\n", "x\n", "0 \(zeros)\n", "2 \(zeros)\n1 \(zeros)\n"])
    func damaged(_ content: String) async throws {
        try await withTemporaryDirectory { path in
            let file = open(path + "/p1.key", O_WRONLY | O_CREAT, 0o600)
            write(file, content, content.utf8.count)
            close(file)
            let keys = ProjectKeys(directory: path)
            #expect(code { _ = try keys.makeDataKey(projectID: "p1", backupID: "b1") } == .key)
            #expect(code { _ = try keys.rotate(projectID: "p1") } == .key)
        }
    }

    private static let zeros = String(repeating: "0", count: 64)
}
