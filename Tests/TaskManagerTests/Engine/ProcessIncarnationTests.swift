// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import StateStore
import TaskManager
import Testing

@Suite("ProcessIncarnation")
struct ProcessIncarnationTests {
    @Test("this process lives, one that was waited for has ended, and of others nothing is known")
    func ended() throws {
        let own = ProcessIncarnation.name()
        #expect(own.utf8.count <= 128 && !own.contains("/"))
        #expect(own != ProcessIncarnation.name())
        #expect(!ProcessIncarnation.hasEnded(own))
        var parts = own.split(separator: ".").map(String.init)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        parts[2] = "\(process.processIdentifier)"
        #expect(ProcessIncarnation.hasEnded(parts.joined(separator: ".")))
        // The same pid, given to another process since.
        parts[2] = "\(getpid())"
        parts[3] = "1"
        #expect(ProcessIncarnation.hasEnded(parts.joined(separator: ".")))
        parts[0] = "0123"
        #expect(!ProcessIncarnation.hasEnded(parts.joined(separator: ".")), "another host")
        for text in ["", "a", "....", "1.2.x.4.5"] { #expect(!ProcessIncarnation.hasEnded(text)) }
    }

    @Test("a name's own processes are told from others'")
    func names() throws {
        let configuration = try Crew().services("a", store: try Crew().store, incarnation: "2").configuration
        for owner in ["a", "a/1", "a/2"] { #expect(configuration.isOwnName(owner)) }
        for owner in ["b/1", "a/b/1", "", "ab/1"] { #expect(!configuration.isOwnName(owner)) }
        #expect(!configuration.hasEnded("a/1"))
        var alone = configuration
        alone.isAlone = true
        #expect(alone.hasEnded("a/1") && alone.hasEnded("a"))
        #expect(!alone.hasEnded("a/2") && !alone.hasEnded("b/1"))
    }
}
