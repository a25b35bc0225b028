// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Glibc
import Messaging
import Model
import Testing

@testable import GuestAgent

@Suite("TLS in the guest")
struct TLSVerbTests {
    private static func arguments(
        _ mode: String = "basic", _ pem: TestPEM = TestPEM.engine, key: String? = nil, ca: JSONValue = .null
    ) -> [String: JSONValue] {
        [
            "mode": .string(mode), "enable": true, "disable": false,
            "container": [
                "certificate": .string(pem.certificate), "private_key": .string(key ?? pem.key), "ca": ca,
            ],
        ]
    }
    private static let disable: [String: JSONValue] = [
        "mode": "builtin", "enable": false, "disable": true, "container": .null,
    ]
    private static let none: JSONValue = ["status": "off", "mode": "builtin"]

    @Test("TLS is enabled, shown, taken back and forth, and disabled; files come and go")
    func life() async throws {
        try await AgentFixture.run { fixture in
            let run = fixture.instance.root + "/run/tls"
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                #expect(try await fixture.call(.sslShow) == Self.none)
                let answer = try await fixture.call(.sslAction, Self.arguments())
                #expect(answer == ["status": "on", "mode": "basic", "restart_required": false])
                let request = try JSONValue(parsing: fixture.instance.content("data/tls") ?? "")
                let wanted: JSONValue = [
                    "mode": "basic", "certificate_file": .string(run + "/certificate.pem"),
                    "key_file": .string(run + "/key.pem"),
                ]
                #expect(request == wanted)
                #expect(fixture.instance.content("run/tls/key.pem") == TestPEM.engine.key)
                var status = stat()
                #expect(stat(run + "/key.pem", &status) == 0 && status.st_mode & 0o777 == 0o400)
                let shown = try await fixture.call(.sslShow)
                #expect(shown["status"] == "on" && shown["mode"] == "basic")
                #expect(shown["certificate"]?["cn"] == "engine")
                #expect(shown["certificate"]?["san"] == ["IP:127.0.0.9", "DNS:engine.example"])
                #expect(shown["certificate"]?["payload"] == .string(TestPEM.engine.certificate))
                #expect(!shown.text.contains("PRIVATE"))

                let mutual = Self.arguments("mtls", TestPEM.other, ca: .string(TestPEM.authority.certificate))
                #expect(try await fixture.call(.sslAction, mutual)["mode"] == "mtls")
                #expect(fixture.instance.content("run/tls/authority.pem") == TestPEM.authority.certificate)
                #expect(try await fixture.call(.sslRollback)["mode"] == "basic")
                #expect(fixture.instance.content("run/tls/certificate.pem") == TestPEM.engine.certificate)
                #expect(!fixture.instance.exists("run/tls/authority.pem"))
                #expect(try await fixture.call(.sslRollback)["mode"] == "mtls")
            }
            // A machine that was switched off has nothing in its run directory; the next agent makes it anew.
            try FileManager.default.removeItem(atPath: run)
            fixture.instance.endEngine()
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await eventually { fixture.instance.content("run/tls/key.pem") == TestPEM.other.key })
                #expect(try await fixture.reports(.healthy))
                #expect(try await fixture.call(.sslShow)["mode"] == "mtls")
                let answer = try await fixture.call(.sslAction, Self.disable)
                #expect(answer == ["status": "off", "mode": "builtin", "restart_required": false])
                #expect(!fixture.instance.exists("run/tls/key.pem"))
                #expect(!fixture.instance.exists("run/tls/certificate.pem"))
                #expect(try await fixture.call(.sslShow) == Self.none)
            }
        }
    }

    @Test("a change that waits for a restart is told until there was one")
    func late() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try fixture.instance.behave("tls-late")
                #expect(try await fixture.call(.sslAction, Self.arguments())["restart_required"] == true)
                #expect(try await fixture.reports(.restartRequired))
                _ = try await fixture.call(.restart)
                #expect(try await fixture.reports(.healthy))
            }
        }
    }

    @Test("what fails leaves everything as it was; what was interrupted is taken back by the next agent")
    func failures() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try fixture.instance.behave("tls-fail")
                _ = try await fixture.call(.sslAction, Self.arguments())
                await VerbTests.expectFault("GuestError") {
                    try await fixture.call(.sslAction, Self.arguments("enforced", TestPEM.other))
                }
                #expect(fixture.instance.content("data/tls-mode") == "basic")
                #expect(fixture.instance.content("run/tls/key.pem") == TestPEM.engine.key)
                #expect(try await fixture.call(.sslShow)["certificate"]?["cn"] == "engine")
            }
            // As an agent leaves it that is killed once the datastore has done its part.
            let path = fixture.instance.root + "/state/tls.json"
            var record = try TLSRecord.load(path)
            record.next = TLSGeneration(
                mode: .enforced, certificate: TestPEM.other.certificate, privateKey: Secret(TestPEM.other.key))
            try record.save(path)
            try fixture.instance.behave("tls-fail")
            try "enforced".write(
                toFile: fixture.instance.root + "/data/tls-mode", atomically: true, encoding: .utf8)
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await eventually { fixture.instance.content("data/tls-mode") == "basic" })
                #expect(try await eventually { try TLSRecord.load(path).next == nil })
                #expect(fixture.instance.content("run/tls/key.pem") == TestPEM.engine.key)
            }
        }
    }

    @Test("what cannot be used is refused, and nothing is changed")
    func refusals() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                let (engine, authority) = (TestPEM.engine, TestPEM.authority)
                func chain(_ texts: String...) -> TestPEM { TestPEM(certificate: texts.joined(), key: engine.key) }
                let bad: [([String: JSONValue], String)] = [
                    (Self.arguments(key: TestPEM.other.key), "private key is not that of the first certificate"),
                    (Self.arguments(key: "nonsense"), "no unencrypted key"),
                    (Self.arguments("basic", TestPEM(certificate: "nonsense", key: engine.key)), "no certificate"),
                    (Self.arguments("basic", chain(authority.certificate, engine.certificate)), "private key"),
                    (
                        Self.arguments("basic", chain(engine.certificate, TestPEM.other.certificate)),
                        "certificate 2 did not issue certificate 1"
                    ),
                    (Self.arguments("basic", TestPEM.weak), "too short"),
                    (Self.arguments("mtls"), "needs the authority"),
                    (Self.arguments("mtls", ca: .string(engine.certificate)), "may not issue"),
                    (Self.arguments("other"), "Unknown SSL mode"),
                ]
                for (arguments, words) in bad {
                    let error = await #expect(throws: MessagingError.self) {
                        _ = try await fixture.call(.sslAction, arguments)
                    }
                    #expect(error?.failure?.className == "BadRequest")
                    let message = error?.failure?.message ?? ""
                    #expect(message.contains(words) && !message.contains("PRIVATE"), "\(message)")
                }
                await VerbTests.expectFault("BadRequest") { try await fixture.call(.sslRollback) }
                await VerbTests.expectFault("TypeError") {
                    try await fixture.call(
                        .sslAction, ["mode": "basic", "container": .null, "enable": true, "disable": true])
                }
                #expect(!fixture.instance.exists("data/tls") && !fixture.instance.exists("state/tls.json"))
                let whole = chain(engine.certificate, authority.certificate)
                #expect(try await fixture.call(.sslAction, Self.arguments("basic", whole))["status"] == "on")
            }
        }
    }
}
