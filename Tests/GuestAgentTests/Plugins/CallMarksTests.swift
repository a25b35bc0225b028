// SPDX-License-Identifier: Apache-2.0

import PluginHost
import TestSupport
import Testing

@testable import GuestAgent

@Suite struct CallMarksTests {
    static let fault = PluginFault(signal: 11, pluginID: "org.example.files")

    @Test("a plugin that traps twice in a verb is refused, by name, until it is forgiven")
    func refusesAfterTwoTraps() async throws {
        try await withTemporaryDirectory { root in
            for crashes in 1...2 {
                let marks = try CallMarks(stateDirectory: root, fault: crashes == 1 ? nil : Self.fault)
                try marks.check("prepare")
                marks.begin("prepare", plugin: Self.fault.pluginID)
            }
            let marks = try CallMarks(stateDirectory: root, fault: Self.fault)
            #expect(marks.crashes("prepare") == 2)
            let error = #expect(throws: PluginError.self) { try marks.check("prepare") }
            #expect(error?.code == .crashed)
            #expect(error?.message == "plugin org.example.files crashed during prepare")
            marks.forgive("prepare")
            try marks.check("prepare")
            #expect(try CallMarks(stateDirectory: root, fault: nil).crashes("prepare") == 0)
        }
    }

    @Test("an agent that was killed, or trapped in another plugin, is no crash of this one")
    func countsOnlyOwnTraps() async throws {
        try await withTemporaryDirectory { root in
            try CallMarks(stateDirectory: root, fault: nil).begin("status", plugin: Self.fault.pluginID)
            #expect(try CallMarks(stateDirectory: root, fault: nil).crashes("status") == 0)
            try CallMarks(stateDirectory: root, fault: nil).begin("status", plugin: "org.example.other")
            #expect(try CallMarks(stateDirectory: root, fault: Self.fault).crashes("status") == 0)
        }
    }

    @Test("a call that ends clears the count; overlapping calls end once each")
    func clears() async throws {
        try await withTemporaryDirectory { root in
            try CallMarks(stateDirectory: root, fault: nil).begin("list_users", plugin: Self.fault.pluginID)
            let marks = try CallMarks(stateDirectory: root, fault: Self.fault)
            #expect(marks.crashes("list_users") == 1)
            marks.begin("list_users", plugin: Self.fault.pluginID)
            marks.begin("list_users", plugin: Self.fault.pluginID)
            marks.end("list_users")
            #expect(FileAccess.exists(root + "/in_call/list_users"))
            marks.end("list_users")
            #expect(!FileAccess.exists(root + "/in_call/list_users"))
            #expect(marks.crashes("list_users") == 0)
        }
    }

    @Test("the handler's line is read")
    func readsFault() {
        #expect(PluginFault.parse("11 org.example.files\n6 \n") == Self.fault)
        #expect(PluginFault.parse("6 \n") == PluginFault(signal: 6, pluginID: ""))
        #expect(PluginFault.parse("") == nil)
    }
}
