// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Messaging

@Suite("HubQueue")
struct HubQueueTests {
    private func message(_ byte: UInt8) -> HubMessage { HubMessage(body: [byte], expires: nil) }

    @Test("order and counts hold through any mix of appending, taking and giving back")
    func order() {
        var queue = HubQueue(owner: nil)
        var model: [UInt8] = []
        var generator = SystemRandomNumberGenerator()
        for step in 0..<2000 {
            switch UInt8.random(in: 0..<5, using: &generator) {
            case 0, 1:
                queue.append(message(UInt8(step & 255)))
                model.append(UInt8(step & 255))
            case 2, 3: #expect(queue.popFirst()?.body.first == (model.isEmpty ? nil : model.removeFirst()))
            default:
                queue.prepend([message(1), message(2)])
                model = [1, 2] + model
            }
            #expect(queue.count == model.count && queue.bytes == model.count)
        }
    }
}
