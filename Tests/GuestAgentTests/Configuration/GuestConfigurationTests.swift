// SPDX-License-Identifier: Apache-2.0

import Foundation
import Messaging
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

    @Test("a broker's account, key and switches are read; the rights are those of a guest")
    func readsBroker() throws {
        var document = InstanceFixture.document("/i")
        document["bus"] = [
            "url": "rabbits://h:1,h2/v", "user": "trove-guest-x", "password": "p", "ca_file": "/ca.pem",
            "rpc_key": "k", "exchange": "e", "heartbeat_s": 5, "quorum": true, "durable": .null,
        ]
        let configuration = try GuestConfiguration(json: .object(document))
        guard case .broker(let broker, let key)? = configuration.bus else {
            Issue.record("no broker")
            return
        }
        #expect(broker.url.user == "trove-guest-x" && broker.url.addresses.count == 2 && broker.url.usesTLS)
        #expect(broker.password.revealed == "p" && broker.caFile == "/ca.pem" && key?.secret.revealed == "k")
        #expect(broker.exchange == "e" && broker.guestExchange == "e_guests" && broker.isRestricted)
        #expect(broker.heartbeatSeconds == 5 && broker.isQuorum && !broker.isDurable)
        #expect(broker.replyPrefix == "guestagent.\(configuration.instanceID)_")
        #expect(!"\(configuration)".contains("\"p\"") && !String(reflecting: configuration).contains("k\")"))
    }

    static let wrongMembers: [(String, JSONValue?)] = [
        ("instance_id", nil), ("instance_id", "a/b"), ("datastore", nil), ("datastore", ["name": "x"]),
        ("plugins", [:]), ("plugins", ["datastore": "../x"]), ("address", 1), ("port", 70_000), ("port", nil),
        ("uid", nil), ("uid", -1), ("set_ids", "yes"), ("memory_mb", 0), ("cgroup_procs", ["relative"]),
        ("data_dir", "relative"), ("state_dir", nil), ("bus", nil), ("bus", ["socket": ""]),
        ("bus", ["url": "rabbit://h"]), ("bus", ["url": "http://h", "user": "u", "password": "p"]),
        ("bus", ["url": "rabbit://h", "user": "u", "password": "p", "durable": 1]),
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
