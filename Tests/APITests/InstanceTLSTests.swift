// SPDX-License-Identifier: Apache-2.0

import API
import Messaging
import Model
import PluginHost
import StateStore
import Synchronization
import Testing

@Suite("TLS of instances")
struct InstanceTLSTests {
    private struct Containers: CertificateContainers {
        var fault: CertificateContainerFault?

        func container(
            _ reference: String, passwordReference: String?, projectID: String, token: String?
        ) async throws(CertificateContainerFault) -> CertificateContainer {
            if let fault { throw fault }
            return CertificateContainer(
                certificate: "cert of \(reference)", privateKey: Secret("key for \(token ?? "nobody")"),
                authority: passwordReference)
        }
    }

    private final class Seen: Sendable {
        let calls = Mutex<[(method: String, arguments: [String: JSONValue])]>([])
    }

    private static func enable(_ more: [String: JSONValue] = [:]) -> JSONValue {
        ["ssl": .object(["enable": true, "container_ref": "https://keys/c1"].merging(more) { $1 })]
    }

    @Test("a container goes to the guest, and the mode that the guest tells is kept")
    func enables() async throws {
        try await withAPI { plain in
            let api = plain.with(certificates: Containers())
            let id = try await api.insertRunning()
            let seen = Seen()
            plain.bus.onCall { _, method, arguments in
                seen.calls.withLock { $0.append((method, arguments)) }
                return ["status": "on", "mode": "mtls", "restart_required": true]
            }
            let answer = await api.send(
                "POST", "/instances/\(id)/ssl", body: Self.enable(["mode": "mtls", "password_ref": "p"]))
            #expect(answer.status == 200)
            #expect(answer.json == ["ssl": ["status": "on", "mode": "mtls", "restart_required": true]])
            let call = try #require(seen.calls.withLock { $0.first })
            #expect(call.method == "ssl_action")
            #expect(
                call.arguments == [
                    "mode": "mtls", "enable": true, "disable": false,
                    "container": ["certificate": "cert of https://keys/c1", "private_key": "key for alice", "ca": "p"],
                ])
            #expect(try await api.store.read { try $0.instances.find(id)?.tlsMode } == "mtls")
        }
    }

    @Test("what the guest shows is shown, its PEM text when it is asked for, and its mode is kept")
    func shows() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            api.bus.onCall { _, _, _ in
                [
                    "status": "on", "mode": "basic",
                    "certificate": ["cn": "db", "expire_at": "2027-01-01T00:00:00", "san": [], "payload": "PEM"],
                ]
            }
            let short = await api.send("GET", "/instances/\(id)/ssl").json["ssl"]
            #expect(short?["certificate"] == ["cn": "db", "expire_at": "2027-01-01T00:00:00", "san": []])
            let full = await api.send("GET", "/instances/\(id)/ssl?include_certificate=true").json["ssl"]
            #expect(full?["certificate"]?["payload"] == "PEM" && full?["mode"] == "basic")
            #expect(try await api.store.read { try $0.instances.find(id)?.tlsMode } == "basic")
            api.bus.onCall { _, _, _ in ["status": "off", "mode": "builtin"] }
            let off: JSONValue = ["ssl": ["status": "off", "mode": "builtin"]]
            #expect(await api.send("GET", "/instances/\(id)/ssl").json == off)
            #expect(try await api.store.read { try $0.instances.find(id)?.tlsMode } == nil)
        }
    }

    @Test("a dry run tells the one step, and nothing is sent")
    func plans() async throws {
        try await withAPI { plain in
            let api = plain.with(certificates: Containers())
            let id = try await api.insertRunning()
            let seen = Seen()
            plain.bus.onCall { _, method, arguments in
                seen.calls.withLock { $0.append((method, arguments)) }
                return [:]
            }
            let answer = await api.send("POST", "/instances/\(id)/ssl?dry_run=true", body: Self.enable())
            #expect(answer.json["plan"]?.arrayValue?.map { $0["step"] } == ["ssl_action"])
            #expect(seen.calls.withLock { $0.isEmpty })
        }
    }

    @Test("what is wrong with a request, or with its container, is said with the contract's status")
    func refusals() async throws {
        try await withAPI { plain in
            let api = plain.with(certificates: Containers())
            let id = try await api.insertRunning()
            let bad: [(JSONValue, String)] = [
                (["ssl": ["enable": true]], "'container_ref' is needed to enable TLS."),
                (["ssl": ["enable": true, "disable": true, "container_ref": "x"]], "One of"),
                (["ssl": [:]], "One of"),
                (Self.enable(["mode": "other"]), "Unknown SSL mode. Available options are: basic, enforced, mtls"),
            ]
            for (body, message) in bad {
                let answer = await api.send("POST", "/instances/\(id)/ssl", body: body)
                #expect(answer.status == 400)
                #expect(answer.json["badRequest"]?["message"]?.stringValue?.hasPrefix(message) == true)
            }
            let busy = try await api.insertRunning { $0.task = .resizing }
            #expect(await api.send("POST", "/instances/\(busy)/ssl", body: ["ssl": ["disable": true]]).status == 422)
            for (reason, status) in [
                (CertificateContainerFault.Reason.missing, 400), (.invalid, 400), (.forbidden, 403),
                (.unavailable, 503),
            ] {
                let fault = CertificateContainerFault(reason: reason, message: "it cannot be had.")
                let other = plain.with(certificates: Containers(fault: fault))
                let answer = await other.send("POST", "/instances/\(id)/ssl", body: Self.enable())
                #expect(answer.status == status)
                #expect(answer.json.text.contains("https://keys/c1"))
                #expect((answer.headers.first { $0.0 == "retry-after" } != nil) == (status == 503))
            }
            let none = await plain.send("POST", "/instances/\(id)/ssl", body: Self.enable())
            expectFault(none, 501, "TLS cannot be enabled: no key manager is configured.")
        }
    }

    @Test("what the guest refuses is the tenant's to read; an engine without TLS is 501, asked or known")
    func guests() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let (disable, message): (JSONValue, String) = (["ssl": ["disable": true]], "no, because.")
            for (name, status) in [
                ("BadRequest", 400), ("UnprocessableEntity", 422), ("DatastoreOperationNotSupported", 501),
                ("GuestError", 400),
            ] {
                api.bus.onCall { _, _, _ throws(MessagingError) in
                    let failure = RPCFailure(className: name, module: "m", message: message)
                    throw MessagingError(.remote, "no", failure: failure)
                }
                #expect(await api.send("POST", "/instances/\(id)/ssl", body: disable).status == status)
            }
            api.bus.onCall { _, _, _ in ["status": "off", "mode": "builtin"] }
            #expect(await api.send("GET", "/instances/\(id)/ssl").status == 200)
            api.plugins.setPlugins { $0[0].provides = ["trove.datastore/1"] }
            expectFault(
                await api.send("GET", "/instances/\(id)/ssl"), 501,
                "TLS is not supported for the 'mariadb' datastore.")
        }
    }
}
