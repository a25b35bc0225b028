// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import Testing

@Suite("Guest logs")
struct GuestLogTests {
    private static let log: JSONValue = [
        "name": "general", "type": "USER", "status": "Disabled", "published": 0, "pending": 0, "container": "None",
        "prefix": "None", "metafile": "i/d-general_metafile",
    ]

    @Test("logs are asked of the guest, with flags as they mean")
    func asks() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            api.bus.onCall { _, method, arguments in
                guard method == "guest_log_action" else { return [Self.log] }
                var log = Self.log.objectValue ?? [:]
                log["status"] = arguments["enable"] == true && arguments["publish"] == false ? "Enabled" : "Disabled"
                log["name"] = arguments["log_name"]
                return .object(log)
            }
            #expect(await api.send("GET", "/instances/\(id)/log").json == ["logs": [Self.log]])
            let body: JSONValue = ["name": "general", "enable": 1, "publish": 0]
            let answer = await api.send("POST", "/instances/\(id)/log", body: body)
            #expect(answer.status == 200 && answer.json["log"]?["status"] == "Enabled")
            #expect(await api.send("GET", "/instances/\(id)/log", as: "bob").status == 404)
        }
    }

    @Test("what the guest refuses has the contract's status")
    func refusals() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let both: JSONValue = ["name": "general", "enable": 1, "disable": 1]
            expectFault(
                await api.send("POST", "/instances/\(id)/log", body: both), 400, "Cannot enable and disable log.")
            #expect(await api.send("POST", "/instances/\(id)/log", body: ["enable": 1]).status == 400)
            for (name, status) in [("LogAccessForbidden", 403), ("LogsNotAvailable", 501), ("NotFound", 400)] {
                api.bus.onCall { _, _, _ throws(MessagingError) in
                    let failure = RPCFailure(className: name, module: "m", message: "no")
                    throw MessagingError(.remote, "no", failure: failure)
                }
                #expect(await api.send("POST", "/instances/\(id)/log", body: ["name": "error"]).status == status)
            }
        }
    }
}
