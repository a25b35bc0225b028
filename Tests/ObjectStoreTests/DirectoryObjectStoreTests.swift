// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import ObjectStore

@Suite("Objects in a directory")
struct DirectoryObjectStoreTests {
    private func put(_ text: String, _ name: String, in store: DirectoryObjectStore) throws {
        let sink = try store.create(name)
        try Array(text.utf8).withUnsafeBytes { try sink.write($0) }
        try sink.commit()
    }

    private func get(_ name: String, in store: DirectoryObjectStore) throws -> String {
        let source = try store.open(name)
        defer { source.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
        defer { buffer.deallocate() }
        let count = try source.readFully(into: buffer)
        return String(decoding: buffer[0..<count], as: UTF8.self)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    private func code(_ body: () throws -> Void) -> ObjectStoreError.Code? {
        do { try body() } catch { return (error as? ObjectStoreError)?.code }
        return nil
    }

    @Test("objects of a container lie in it, are listed, located and deleted by their full name")
    func containers() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path + "/store")
            try put("one", "p1/nightly/b1", in: store)
            try put("two", "p1/b2", in: store)
            #expect(try get("p1/nightly/b1", in: store) == "one")
            #expect(mode(path + "/store/p1/nightly") == 0o700)
            let sink = try store.create("p1/nightly/b3")
            #expect(try store.list() == ["p1/b2", "p1/nightly/b1", "p1/nightly/b3"])
            sink.abort()
            let location = store.location("p1/nightly/b1")
            #expect(location == "file://\(path)/store/p1/nightly/b1")
            #expect(store.name(location: location) == "p1/nightly/b1")
            #expect(code { _ = try store.open("p1/b1") } == .notFound)
            #expect(code { _ = try store.open("p1/other/b1") } == .notFound)
            #expect(code { _ = try store.create("p1/../b1") } == .invalidName)
            #expect(code { _ = try store.create("p1/a/b/c") } == .invalidName)
            for name in ["p1/nightly/b1", "p1/none/b1", "p1/b2"] { try store.delete(name) }
            #expect(try store.list() == [])
        }
    }

    @Test("what is committed is read back, with private modes, below a root that is made")
    func roundTrip() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path + "/a/b")
            try put("hello", "p1/b1", in: store)
            #expect(try get("p1/b1", in: store) == "hello")
            #expect(mode(path + "/a/b") == 0o700)
            #expect(mode(path + "/a/b/p1") == 0o700)
            #expect(mode(path + "/a/b/p1/b1") == 0o600)
        }
    }

    @Test("an object appears with commit, and is listed before")
    func publishing() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path)
            let sink = try store.create("p1/b1")
            #expect(code { _ = try store.open("p1/b1") } == .notFound)
            #expect(try store.list() == ["p1/b1"])
            try sink.commit()
            sink.abort()
            #expect(try get("p1/b1", in: store) == "")
            #expect(code { try sink.commit() } == .unavailable)
        }
    }

    @Test("abort, and forgetting a sink, leave nothing")
    func aborting() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path)
            let sink = try store.create("p1/b1")
            sink.abort()
            sink.abort()
            _ = try store.create("p1/b2")
            #expect(try store.list() == [])
        }
    }

    @Test("a second writer takes the place of the first, which cannot publish any more")
    func takeover() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path)
            let first = try store.create("p1/b1")
            let second = try store.create("p1/b1")
            #expect(code { try first.commit() } == .notFound)
            try second.commit()
            #expect(try get("p1/b1", in: store) == "")
        }
    }

    @Test("deleting removes published and unfinished files, repeats, and leaves neighbours")
    func deleting() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path)
            try put("1", "p1/b1", in: store)
            try put("10", "p1/b10", in: store)
            let unfinished = try store.create("p1/b1")
            #expect(try store.list() == ["p1/b1", "p1/b10"])
            try store.delete("p1/b1")
            try store.delete("p1/b1")
            try store.delete("nobody/b1")
            #expect(try store.list() == ["p1/b10"])
            #expect(code { try unfinished.commit() } == .notFound)
        }
    }

    @Test(
        "names are two or three plain components",
        arguments: [
            "", "a", "a/", "/a", "a/b/c/d", "../b", "a/..", "./a", "a/b~c", "a/b c", "a//b", "a/b\n", "ä/b",
            "/etc/passwd",
            "a/\0", String(repeating: "x", count: 201) + "/b",
        ])
    func names(_ name: String) async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path)
            #expect(code { _ = try store.create(name) } == .invalidName)
            #expect(code { _ = try store.open(name) } == .invalidName)
            #expect(code { try store.delete(name) } == .invalidName)
        }
    }

    @Test("a location leads back to its name, and only below the root")
    func locations() {
        let store = DirectoryObjectStore(root: "/var/lib/tr ove/backups/")
        #expect(store.location("p1/b1") == "file:///var/lib/tr%20ove/backups/p1/b1")
        #expect(store.name(location: store.location("p1/b1")) == "p1/b1")
        for foreign in [
            "file:///var/lib/p1/b1", "file:///var/lib/tr%20ove/backups/../p1/b1", "http://host/p1/b1", "p1/b1",
            "file:///var/lib/tr%20ove/backups/p1/b1/c/d", "file:///var/lib/tr%20ove/backupsx/p1/b1",
        ] { #expect(store.name(location: foreign) == nil) }
    }

    @Test("a link below the root is not followed")
    func links() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path + "/root")
            try put("1", "p1/b1", in: store)
            symlink("/etc/hostname", path + "/root/p1/b2")
            symlink(path, path + "/root/p2")
            #expect(code { _ = try store.open("p1/b2") } == .permissionDenied)
            #expect(code { _ = try store.create("p2/b1") } != nil)
        }
    }

    @Test("nothing there is an empty list")
    func emptyList() throws {
        #expect(try DirectoryObjectStore(root: "/nonexistent/trove").list() == [])
    }

    @Test("a disk without room says so", .enabled(if: Self.canMount))
    func full() async throws {
        try await withTemporaryDirectory { path in
            try #require(mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0)
            defer { umount2(path, Int32(MNT_DETACH)) }
            let store = DirectoryObjectStore(root: path)
            let sink = try store.create("p1/b1")
            let bytes = [UInt8](repeating: 1, count: 1 << 20)
            let error = #expect(throws: ObjectStoreError.self) { try bytes.withUnsafeBytes { try sink.write($0) } }
            #expect(error?.code == .full)
            #expect(error?.message.contains("free space") == true)
            sink.abort()
            #expect(try store.list() == [])
        }
    }

    /// Whether this process may mount file systems: tried, since containers differ.
    private static let canMount: Bool = {
        var template = Array("/tmp/trove-mount-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { return false }
        defer { rmdir(made) }
        guard mount("tmpfs", made, "tmpfs", 0, "size=64k") == 0 else { return false }
        return umount2(made, Int32(MNT_DETACH)) == 0
    }()
}
