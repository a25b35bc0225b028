// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model
import Synchronization

/// The thread of a client: connects, reads, and ends what is overdue.
extension LocalHubBus {
    /// Tag of the consumer of the reply queue.
    private static let replyTag: UInt32 = 0
    /// Replies up to this size are read on the thread itself, which saves a hop.
    private static let smallBytes = 32 * 1024

    @Sendable
    func runLink() {
        var backoff = ReconnectBackoff()
        var generator = SystemRandomNumberGenerator()
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: HubFrameBuffer.chunkBytes, alignment: 16)
        defer {
            scratch.deallocate()
            end.open()
        }
        var lastFailure: SystemFailure?
        while !isClosed {
            switch HubLink.connect(path) {
            case .failure(let failure):
                if failure != lastFailure {
                    logger.info("bus is away", metadata: ["bus.socket": "\(path)", "error.message": "\(failure)"])
                }
                lastFailure = failure
            case .success(let link):
                lastFailure = nil
                attach(link)
                read(link, scratch) { backoff.reset() }
                state.withLock { $0.link = nil }
                link.shutDown()
                if !isClosed { logger.info("bus connection lost", metadata: ["bus.socket": "\(path)"]) }
            }
            pause(until: .now + backoff.next(using: &generator))
        }
    }

    private var isClosed: Bool { state.withLock { $0.phase == .closed } }

    /// Declares and consumes everything again, then lets senders use the link, beginning with what was not confirmed.
    private func attach(_ link: HubLink) {
        let (subscriptions, declared, isOpen) = state.withLock {
            ($0.subscriptions, $0.declared.sorted(), $0.phase == .open)
        }
        var frames: [HubFrame] = [
            .hello(number: 0, version: HubFrame.protocolVersion, name: name),
            .declare(number: 0, queue: replyQueue, fanout: "", isTransient: true),
            .consume(number: 0, tag: Self.replyTag, queue: replyQueue),
        ]
        frames += declared.map { .declare(number: 0, queue: $0, fanout: "", isTransient: false) }
        if isOpen { frames += subscriptions.flatMap { self.frames(of: $0, lastNumber: 0) } }
        var bytes: [UInt8] = []
        for frame in frames { frame.encode(into: &bytes) }
        guard link.send(bytes) else { return }
        let unconfirmed = state.withLock { $0.attach(link) }
        for item in unconfirmed where !link.send(item.encoded(.now)) { return }
    }

    /// Reads until the connection or the bus ends.
    private func read(_ link: HubLink, _ scratch: UnsafeMutableRawBufferPointer, onFrame: () -> Void) {
        var buffer = HubFrameBuffer()
        while !isClosed {
            guard wait(for: link.descriptor, until: nil) else { continue }
            guard case .bytes = buffer.fill(from: link.descriptor, scratch: scratch) else { return }
            do throws(MessagingError) {
                while let frame = try buffer.next() {
                    onFrame()
                    take(frame, from: link)
                }
            } catch {
                logger.warning("bus connection given up", metadata: ["error.message": "\(error.message)"])
                return
            }
        }
    }

    private func pause(until end: ContinuousClock.Instant) {
        while !isClosed, ContinuousClock.now < end { _ = wait(for: nil, until: end) }
    }

    /// Waits for input, a wake-up, the next deadline or `end`, and ends what is overdue. Returns whether there is input.
    private func wait(for input: Descriptor?, until end: ContinuousClock.Instant?) -> Bool {
        var timeout: Int32 = -1
        if let next = [end, state.withLock { $0.armed }].compactMap({ $0 }).min() {
            let left = max(.zero, ContinuousClock.now.duration(to: next))
            timeout = Int32(clamping: (left.microseconds + 999) / 1000)
        }
        var entries = [wake?.descriptor, input].map {
            pollfd(fd: $0?.number ?? -1, events: Int16(POLLIN), revents: 0)
        }
        let count = poll(&entries, nfds_t(entries.count), timeout)
        if count > 0, entries[0].revents != 0 { wake?.clear() }
        let overdue = state.withLock { $0.expire(.now, socket: path) }
        for resumption in overdue { resumption.resume() }
        return count > 0 && entries[1].revents != 0
    }
}

// MARK: - Frames

extension LocalHubBus {
    private func take(_ frame: HubFrame, from link: HubLink) {
        switch frame {
        case .confirm(let number): resolve(number, .success(()))
        case .refuse(let number, let reason, let message):
            let code: MessagingError.Code = reason == .invalid ? .badMessage : .unavailable
            if number == 0 { logger.warning("bus refused", metadata: ["error.message": "\(message)"]) }
            resolve(number, .failure(MessagingError(code, message)))
        case .deliver(let number, Self.replyTag, _, _, let body):
            link.send(.acknowledge(number: number))
            if body.count <= Self.smallBytes {
                takeReply(body)
            } else {
                Task { takeReply(body) }
            }
        case .deliver(let number, let tag, let expires, _, let body):
            let deadline = expires == 0 ? nil : Deadline.after(.milliseconds(Int64(expires)))
            let pool = state.withLock { state in
                state.subscriptions.first { tag >= $0.firstTag && tag < $0.firstTag + 3 }?.pool
            }
            pool?.take(HandlerPool.Delivery(number: number, source: link, deadline: deadline, content: .body(body)))
        default: logger.warning("bus sent a frame that is not for clients")
        }
    }

    private func takeReply(_ body: [UInt8]) {
        do throws(MessagingError) {
            let reply = try ReplyMessage(body: body)
            state.withLock { $0.take(reply) }?.resume()
        } catch {
            logger.warning("reply dropped", metadata: ["error.message": "\(error.message)"])
        }
    }
}
