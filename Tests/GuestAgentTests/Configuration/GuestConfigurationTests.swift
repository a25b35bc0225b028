// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport
import Testing

@testable import GuestAgent

@Suite struct GuestConfigurationTests {
    @Test("the whole document is read")
    func reads() throws {
        var document = InstanceFixture.document("/i")
        document["oom"] = ["/cg/events"]
        let configuration = try GuestConfiguration(json: .object(document))
        #expect(configuration.mode == .serve)
        #expect(configuration.backupPlugin == "org.example.files@1.0.0")
        #expect(configuration.oomCounters == ["/cg/events"])
        #expect(configuration.reportInterval == .seconds(1))
        #expect(configuration.dataDirectory == "/i/data")
        let instance = configuration.instanceDocument(pluginID: "org.example.files")
        #expect(instance["state_dir"] == "/i/state/plugins/org.example.files")
    }

    @Test("a template's document needs neither bus nor address")
    func readsInitialize() throws {
        var document = InstanceFixture.document("/i")
        document["mode"] = "initialize"
        for name in ["bus", "address", "port", "object_store"] { document[name] = nil }
        #expect(try GuestConfiguration(json: .object(document)).mode == .initialize)
    }

    static let wrongMembers: [(String, JSONValue?)] = [
        ("instance_id", nil), ("instance_id", "a/b"), ("datastore", nil), ("datastore", ["name": "x"]),
        ("plugins", [:]), ("plugins", ["datastore": "../x"]), ("address", 1), ("port", 70_000), ("port", nil),
        ("uid", nil), ("uid", -1), ("set_ids", "yes"), ("memory_mb", 0), ("cgroup_procs", ["relative"]),
        ("data_dir", "relative"), ("state_dir", nil), ("bus", nil), ("bus", ["socket": ""]),
        ("report_interval_s", 0), ("mode", "dance"), ("object_store", [:]), ("ports", [0]),
    ]

    @Test("what is wrong is named", arguments: wrongMembers)
    func refuses(_ name: String, _ value: JSONValue?) {
        var document = InstanceFixture.document("/i")
        document[name] = value
        let error = #expect(throws: GuestAgentError.self) { try GuestConfiguration(json: .object(document)) }
        #expect(error?.code == .configuration)
        #expect(error?.message.hasPrefix(name) == true, "\(error?.message ?? "")")
    }

    @Test("a file that is missing or no JSON is named")
    func namesFile() async throws {
        try await withTemporaryDirectory { root in
            let path = root + "/guest.json"
            for content in [nil, "{", "[]"] {
                if let content { try content.write(toFile: path, atomically: true, encoding: .utf8) }
                let error = #expect(throws: GuestAgentError.self) { try GuestConfiguration(file: path) }
                #expect(error?.message.contains(path) == true)
            }
        }
    }
}
