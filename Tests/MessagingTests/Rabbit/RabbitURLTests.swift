// SPDX-License-Identifier: Apache-2.0

import Messaging
import Testing

@Suite("RabbitURL")
struct RabbitURLTests {
    @Test("addresses, user, port and virtual host are read")
    func whole() throws {
        let url = try RabbitURL(parsing: "rabbit://trove@broker1:5673,broker2/prod")
        #expect(!url.usesTLS && url.user == "trove" && url.virtualHost == "prod")
        #expect(url.addresses.map(\.description) == ["broker1:5673", "broker2:5672"])
    }

    @Test(
        "without path, with an empty one, or with an escaped slash, the virtual host is /",
        arguments: ["", "/", "/%2F"])
    func rootHost(path: String) throws {
        #expect(try RabbitURL(parsing: "rabbit://h" + path).virtualHost == "/")
    }

    @Test(
        "rabbits has TLS and its own port; user and virtual host are percent-decoded; an IPv6 address stands in brackets"
    )
    func details() throws {
        let url = try RabbitURL(parsing: "rabbits://a%40b%C3%A9@[::1],a%40b%C3%A9@x/v%2Fh")
        #expect(url.usesTLS && url.user == "a@bé" && url.virtualHost == "v/h")
        #expect(url.addresses == [.init(host: "::1", port: 5671), .init(host: "x", port: 5671)])
        #expect(url.addresses[0].description == "[::1]:5671")
        #expect(try RabbitURL(parsing: "rabbit://[fe80::1]:7/").addresses == [.init(host: "fe80::1", port: 7)])
        #expect(try RabbitURL(parsing: "rabbit://h").user == "guest")
    }

    @Test(
        "what cannot be used is refused with a reason, without the text itself",
        arguments: [
            ("amqp://h", "neither rabbit://"), ("rabbit://u:hunter2@h", "password does not belong"),
            ("rabbit://h?ssl=1", "options"), ("rabbit://", "no host"), ("rabbit://a,,b", "no host"),
            ("rabbit://h:0", "port"), ("rabbit://h:70000", "port"), ("rabbit://h:+1", "port"),
            ("rabbit://[::1", "bracket"),
            ("rabbit://[::1]x", "follows"), ("rabbit://@h", "user is empty"), ("rabbit://a@h,b@i", "different users"),
            ("rabbit://h/%zz", "virtual host"), ("rabbit://%ff@h", "not UTF-8"), ("rabbit://h/%00", "not UTF-8"),
        ])
    func refused(text: String, reason: String) throws {
        let error = #expect(throws: MessagingError.self) { try RabbitURL(parsing: text) }
        #expect(error?.code == .badMessage && error?.message.contains(reason) == true)
        #expect(error?.message.contains("hunter2") == false)
    }
}
