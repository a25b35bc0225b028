// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import ObjectStore
import TestSupport
import Testing

@testable import GuestAgent

@Suite("Published logs")
struct LogShelfTests {
    /// A log file, and the objects that are made of it.
    private struct Fixture {
        let root: String
        let shelf: LogShelf
        var path: String { root + "/log/engine.log" }

        init(_ root: String) throws {
            self.root = root
            try FileManager.default.createDirectory(atPath: root + "/log", withIntermediateDirectories: true)
            shelf = LogShelf(
                objects: ObjectContainer(root: root + "/objects", project: "p"), prefix: "i/d-general/",
                metafile: "i/d-general_metafile")
        }

        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

        func file() throws -> EngineLogFile? { try EngineLogFile(path: path, roots: [root + "/log"]) }

        func publish(_ record: LogRecord) throws -> LogRecord {
            try shelf.publish(try #require(try file()), record) { _ in }
        }

        func parts() throws -> [String] {
            try shelf.objects.list(prefix: shelf.prefix, after: nil, limit: 100).items.map { item in
                var bytes: [UInt8] = []
                try shelf.objects.get(item.name) { part in
                    bytes += part
                    return true
                }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    private func withFixture(_ body: (Fixture) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.path + "/logs-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(try Fixture(directory))
    }

    @Test("what is new becomes another part, and nothing becomes none")
    func parts() throws {
        try withFixture { fixture in
            try fixture.write("one\n")
            let first = try fixture.publish(LogRecord())
            #expect(first.publishedBytes == 4 && first.next == nil)
            try fixture.write("one\ntwo\n")
            let second = try fixture.publish(first)
            #expect(try fixture.publish(second) == second)
            #expect(try fixture.parts() == ["one\n", "two\n"])
            try fixture.shelf.discard()
            #expect(try fixture.parts().isEmpty)
        }
    }

    @Test("a file that was cut is published from its beginning, beside what there is")
    func rotation() throws {
        try withFixture { fixture in
            try fixture.write("old, and long enough\n")
            let record = try fixture.publish(LogRecord())
            try fixture.write("new\n")
            #expect(try record.isRotated(try #require(try fixture.file())))
            let after = try fixture.publish(record)
            #expect(after.publishedBytes == 4)
            // As long as what was published, but another one.
            try fixture.write("yet\n")
            #expect(try after.isRotated(try #require(try fixture.file())))
            #expect(try fixture.parts() == ["old, and long enough\n", "new\n"])
        }
    }

    @Test("large files are parts that end with lines; any bytes become text")
    func large() throws {
        try withFixture { fixture in
            let line = String(repeating: "x", count: 999) + "\n"
            try fixture.write(String(repeating: line, count: 2500))
            _ = try fixture.publish(LogRecord())
            let parts = try fixture.parts()
            #expect(parts.count == 3 && parts.allSatisfy { $0.hasSuffix("\n") && $0.utf8.count <= LogShelf.partBytes })
            try fixture.shelf.discard()
            try Data([0x61, 0xFF, 0x0A]).write(to: URL(fileURLWithPath: fixture.path))
            _ = try fixture.publish(LogRecord())
            #expect(try fixture.parts() == ["a\u{FFFD}\n"])
        }
    }

    @Test("an agent that ends while it publishes leaves no part twice")
    func interrupted() throws {
        try withFixture { fixture in
            try fixture.write("one\ntwo\n")
            var saved: [LogRecord] = []
            let file = try #require(try fixture.file())
            _ = try fixture.shelf.publish(file, LogRecord()) { saved.append($0) }
            // The next agent knows what was written down before the object was.
            let known = LogRecord(json: try #require(saved.first).json)
            #expect(known.next != nil && known.publishedBytes == 0)
            _ = try fixture.publish(known)
            #expect(try fixture.parts() == ["one\ntwo\n"])
        }
    }

    @Test("no link is followed, and no file elsewhere is read")
    func links() throws {
        try withFixture { fixture in
            let secret = fixture.root + "/secret"
            try Data("secret".utf8).write(to: URL(fileURLWithPath: secret))
            #expect(symlink(secret, fixture.path) == 0)
            #expect(throws: GuestAgentError.self) { try fixture.file() }
            unlink(fixture.path)
            #expect(link(secret, fixture.path) == 0)
            #expect(throws: GuestAgentError.self) { try fixture.file() }
            unlink(fixture.path)
            #expect(try fixture.file() == nil)
            for path in [secret, fixture.root + "/log/../secret"] {
                #expect(throws: GuestAgentError.self) {
                    try EngineLogFile(path: path, roots: [fixture.root + "/log"])
                }
            }
        }
    }
}
