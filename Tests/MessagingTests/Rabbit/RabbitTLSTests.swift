// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("RabbitBus and TLS", .timeLimit(.minutes(5)))
struct RabbitTLSTests {
    private static let nodes = Result { try Nodes([.rabbitmq], tls: true) }

    private func secure(_ nodes: Nodes, host: String = "127.0.0.1") throws -> RabbitConfiguration {
        var configuration = try RabbitConfiguration(nodes)
        configuration.url.usesTLS = true
        configuration.url.addresses = [.init(host: host, port: try nodes.port("rabbitmq", "tls_port"))]
        configuration.caFile = try nodes.text("ca_file")
        return configuration
    }

    @Test("the broker is known by its authority, by name and by address", arguments: ["127.0.0.1", "localhost"])
    func trusted(host: String) async throws {
        let nodes = try Self.nodes.get()
        let configuration = try secure(nodes, host: host)
        try await withRabbit(nodes, { $0 = configuration }) { rabbit in
            let topic = rabbit.topic("t")
            try await rabbit.client("server").serve(topic: topic, server: "s", endpoint: ClosureEndpoint { _ in "tls" })
            let client = rabbit.client("client") { configuration in
                configuration.certificateFile = try? nodes.text("client_certificate_file")
                configuration.keyFile = try? nodes.text("client_key_file")
            }
            #expect(try await client.ask(topic, "m") == "tls")
            let text = JSONValue.string(String(repeating: "x", count: 1 << 20))
            #expect(try await client.ask(topic, "m", ["large": text]) == "tls")
        }
    }

    @Test("a certificate of another authority is refused before the password is sent")
    func untrusted() async throws {
        var configuration = try secure(try Self.nodes.get())
        configuration.caFile = nil
        let bus = RabbitBus(configuration, name: "wary", logger: .quiet, options: .init(patience: .seconds(1)))
        let error = await #expect(throws: MessagingError.self) { try await bus.tell("t", "m") }
        #expect(error?.message.contains("not from a trusted authority") == true, "\(error?.message ?? "")")
        await bus.close()
    }

    @Test("a file of authorities that is not there is named")
    func noFile() async throws {
        var configuration = try secure(try Self.nodes.get())
        configuration.caFile = "/nonexistent/ca.pem"
        let bus = RabbitBus(configuration, name: "wary", logger: .quiet, options: .init(patience: .seconds(1)))
        let error = await #expect(throws: MessagingError.self) { try await bus.tell("t", "m") }
        #expect(error?.message.contains("/nonexistent/ca.pem") == true, "\(error?.message ?? "")")
        await bus.close()
    }
}
