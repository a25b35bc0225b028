// SPDX-License-Identifier: Apache-2.0

import Messaging
import Testing

@Suite("RPCVersion")
struct RPCVersionTests {
    @Test(
        "same major, minor not above, third part not above with equal minors",
        arguments: [
            ("1.3", "1.0", true), ("1.3", "1.3", true), ("1.3", "1.4", false), ("1.0", "2.0", false),
            ("2.0", "1.0", false), ("1.0", "1.0.5", false), ("1.1", "1.0.5", true), ("1.0.5", "1.0.5", true),
            ("1.10", "1.9", true),
        ])
    func compatibility(_ implemented: String, _ requested: String, _ isAccepted: Bool) throws {
        let implemented = try #require(RPCVersion(implemented))
        let requested = try #require(RPCVersion(requested))
        #expect(implemented.accepts(requested) == isAccepted)
    }

    @Test(
        "anything but two or three numbers is no version", arguments: ["1", "", "1.", "a.b", "1.0.0.0", "-1.0", "1.+2"])
    func malformed(_ text: String) {
        #expect(RPCVersion(text) == nil)
    }
}
