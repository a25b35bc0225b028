// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import GuestAgent

@Suite struct FilesTests {
    @Test("a second agent of an instance is kept away while the first lives")
    func locks() async throws {
        try await withTemporaryDirectory { root in
            do {
                let lock = try AgentLock(stateDirectory: root)
                let error = #expect(throws: GuestAgentError.self) { try AgentLock(stateDirectory: root) }
                #expect(error?.code == .busy)
                withExtendedLifetime(lock) {}
            }
            _ = try AgentLock(stateDirectory: root)
        }
    }

    @Test("a directory is emptied without following links, keeping lost+found")
    func empties() async throws {
        try await withTemporaryDirectory { root in
            let files = FileManager.default
            try files.createDirectory(atPath: root + "/data/a/b", withIntermediateDirectories: true)
            try files.createDirectory(atPath: root + "/data/lost+found", withIntermediateDirectories: true)
            try files.createDirectory(atPath: root + "/outside", withIntermediateDirectories: true)
            for path in ["/data/x", "/data/a/b/y", "/outside/kept"] {
                try "1".write(toFile: root + path, atomically: true, encoding: .utf8)
            }
            try files.createSymbolicLink(atPath: root + "/data/link", withDestinationPath: root + "/outside")
            try DirectoryContents.empty(root + "/data")
            #expect(FileAccess.names(in: root + "/data") == ["lost+found"])
            #expect(FileAccess.exists(root + "/outside/kept"))
            #expect(throws: GuestAgentError.self) { try DirectoryContents.empty(root + "/absent") }
        }
    }

    @Test("a log that has grown is moved on while its writer holds it")
    func rotates() async throws {
        try await withTemporaryDirectory { root in
            let log = RotatingLog(path: root + "/engine.log", limitBytes: 1000, kept: 2)
            try log.withDescriptor { writer throws(GuestAgentError) in
                for round in 1...4 {
                    let bytes = [UInt8](repeating: UInt8(ascii: "0") + UInt8(round), count: 1500)
                    _ = FileAccess.writeAll(bytes, to: writer)
                    let isCut = try log.rotateIfNeeded()
                    #expect(isCut)
                }
                _ = FileAccess.writeAll(Array("end".utf8), to: writer)
                let isCut = try log.rotateIfNeeded()
                #expect(!isCut)
            }
            #expect(FileAccess.names(in: root) == ["engine.log", "engine.log.1", "engine.log.2"])
            #expect(try FileAccess.read(log.path) == Array("end".utf8))
            #expect(try FileAccess.read(log.path + ".1") == [UInt8](repeating: UInt8(ascii: "4"), count: 1000))
            #expect(try FileAccess.read(log.path + ".2") == [UInt8](repeating: UInt8(ascii: "3"), count: 1000))
        }
    }

    @Test("a file is replaced as a whole and only its owner may read it")
    func replaces() async throws {
        try await withTemporaryDirectory { root in
            try FileAccess.writeJSON(["a": 1], to: root + "/f")
            try FileAccess.writeJSON(["a": 2], to: root + "/f")
            #expect(try FileAccess.readJSON(root + "/f") == ["a": 2])
            #expect(try FileManager.default.attributesOfItem(atPath: root + "/f")[.posixPermissions] as? Int == 0o600)
            #expect(FileAccess.names(in: root) == ["f"])
            #expect(try FileAccess.readJSON(root + "/absent") == nil)
            try "{".write(toFile: root + "/bad", atomically: true, encoding: .utf8)
            #expect(throws: GuestAgentError.self) { try FileAccess.readJSON(root + "/bad") }
        }
    }
}
