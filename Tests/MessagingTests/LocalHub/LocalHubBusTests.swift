// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import TestSupport
import Testing

@Suite("LocalHubBus", .timeLimit(.minutes(1)))
struct LocalHubBusTests {
    @Test("a full queue refuses with its name")
    func full() async throws {
        try await withHub(HubLimits(messagesPerQueue: 3, settling: .zero)) { hub in
            let client = hub.client("client")
            try await client.declare(topic: "t", server: "s")
            for _ in 0..<3 { try await client.tell("t", "m") }
            let error = await #expect(throws: MessagingError.self) { try await client.tell("t", "m") }
            #expect(error?.code == .unavailable && error?.message.contains("t is full") == true)
        }
    }
}
