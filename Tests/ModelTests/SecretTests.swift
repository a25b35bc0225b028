// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("Secrets")
struct SecretTests {
    private let secret = Secret("hunter2")

    @Test("no way of printing shows the text")
    func printing() {
        var dumped = ""
        dump(secret, to: &dumped)
        dump(UserSpecification(name: "u", password: secret), to: &dumped)
        let user = UserSpecification(name: "u", password: secret)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), String(describing: Optional(secret)),
            String(reflecting: [secret]), "\(user)", String(reflecting: user), dumped,
            String(reflecting: ["k": secret]),
        ]
        for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
        #expect("\(secret)" == "<redacted>")
        #expect(secret.revealed == "hunter2")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test("documents lose their secrets at any depth and keep the rest")
    func documents() {
        for name in JSONValue.secretNames {
            let document: JSONValue = .object(["outer": .array([.object([name: "hunter2", "kept": 7])])])
            #expect(document.redacted == .object(["outer": .array([.object([name: "<redacted>", "kept": 7])])]))
        }
        #expect(JSONValue.object(["password": ["deep": "hunter2"]]).redacted == ["password": "<redacted>"])
        #expect(JSONValue.object(["password": .null]).redacted == ["password": .null])
        #expect(JSONValue.string("hunter2").redacted == "hunter2")
    }
}
