// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Messaging

@Suite("HubFrame")
struct HubFrameTests {
    static let frames: [HubFrame] = [
        .hello(number: 1, version: 1, name: "é"),
        .declare(number: 2, queue: "q", fanout: "f_fanout", isTransient: true),
        .consume(number: .max, tag: 7, queue: "q"), .cancel(number: 3, tag: .max),
        .publish(number: 4, expires: 15_000, exchange: "trove", key: "k", body: [1, 2, 0, 255]),
        .acknowledge(number: 5), .delete(number: 6, queue: ""), .confirm(number: 7),
        .refuse(number: 8, reason: .full, message: "no"),
        .deliver(number: 9, tag: 1, expires: 2, isRedelivered: true, body: []),
    ]

    private func append(_ bytes: some Collection<UInt8>, _ buffer: inout HubFrameBuffer) {
        Array(bytes).withUnsafeBytes { buffer.append($0) }
    }

    @Test("every frame survives the wire", arguments: frames)
    func roundTrip(_ frame: HubFrame) throws {
        var buffer = HubFrameBuffer()
        append(frame.encoded, &buffer)
        #expect(try buffer.next() == frame)
        #expect(try buffer.next() == nil)
    }

    @Test("frames are found wherever the stream is cut", arguments: [1, 3, 7, 1000])
    func pieces(_ size: Int) throws {
        let stream = Self.frames.flatMap(\.encoded)
        var buffer = HubFrameBuffer()
        var found: [HubFrame] = []
        var start = 0
        while start < stream.count {
            append(stream[start..<min(start + size, stream.count)], &buffer)
            while let frame = try buffer.next() { found.append(frame) }
            start += size
        }
        #expect(found == Self.frames)
    }

    @Test("a frame that is cut off anywhere is refused", arguments: frames)
    func short(_ frame: HubFrame) {
        let content = frame.encoded.dropFirst(4)
        switch frame {
        case .publish, .deliver: #expect(throws: MessagingError.self) { try HubFrame(content: content.prefix(12)) }
        default:
            for count in 0..<content.count {
                #expect(throws: MessagingError.self) { try HubFrame(content: content.prefix(count)) }
            }
        }
    }

    @Test("a length above the limit is refused before anything is kept")
    func tooLong() {
        var buffer = HubFrameBuffer()
        append([0x01, 0, 0, 0], &buffer)
        #expect(throws: MessagingError.self) { try buffer.next() }
    }

    @Test("an unknown kind and broken UTF-8 are refused")
    func nonsense() {
        #expect(throws: MessagingError.self) { try HubFrame(content: [99, 0, 0, 0, 0, 0, 0, 0, 1]) }
        #expect(throws: MessagingError.self) { try HubFrame(content: [7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0xFF]) }
    }

    @Test("a text longer than its length field is cut between characters")
    func longText() throws {
        let frame = HubFrame.refuse(number: 1, reason: .invalid, message: String(repeating: "é", count: 40_000))
        guard case .refuse(_, _, let message) = try HubFrame(content: frame.encoded.dropFirst(4)) else {
            Issue.record("not a refusal")
            return
        }
        #expect(message == String(repeating: "é", count: 32_767))
    }
}
