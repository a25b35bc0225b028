// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

extension RabbitPublisher {
    func drain(_ connection: RabbitConnection) throws(RabbitFailure) {
        while let event = try connection.next() {
            switch event {
            case .confirmed(let tag, let isMultiple, let isTaken):
                confirm(tag, isMultiple: isMultiple, isTaken: isTaken)
            case .returned(let exchange, let key, let body):
                let number = bus.state.withLock { $0.number(of: exchange, key, body, among: inFlight.values) }
                if let number { returned.insert(number) }
            case .blocked(let reason):
                isBlocked = true
                bus.state.withLock { $0.blockedReason = reason }
                bus.logger.warning("the broker takes no messages", metadata: ["error.message": "\(reason)"])
            case .unblocked:
                isBlocked = false
                bus.state.withLock { $0.blockedReason = nil }
                bus.logger.notice("the broker takes messages again")
            case .delivery, .cancelled: break
            }
        }
    }

    private func confirm(_ tag: UInt64, isMultiple: Bool, isTaken: Bool) {
        let first = isMultiple ? lowestTag : tag
        let numbers = first <= tag ? (first...tag).compactMap { inFlight.removeValue(forKey: $0) } : []
        while lowestTag < nextTag, inFlight[lowestTag] == nil { lowestTag += 1 }
        isActive = true
        if !awaited.isEmpty { awaited.subtract(numbers) }
        let isReturned = returned.isEmpty ? [] : numbers.filter { returned.remove($0) != nil }
        let resumptions = bus.state.withLock { state in
            numbers.compactMap { number -> RabbitState.Resumption? in
                if isReturned.contains(number) { return nil }
                guard !isTaken else { return state.resolve(number, .success(())) }
                return state.resolve(number, .failure(Self.notTaken(state.item(number))))
            }
        }
        for resumption in resumptions { resumption.resume() }
        for number in isReturned { handleReturn(number) }
    }

    /// What becomes of a message that no queue took.
    private func handleReturn(_ number: UInt64) {
        guard let item = bus.state.withLock({ $0.item(number) }) else { return }
        switch item.unroutable {
        case .settle where ContinuousClock.now < settles:
            delayed.append((.now + Self.retryPause, number))
            return
        case .prepare where bus.state.withLock({ $0.refuse(number) }) <= Self.refusals:
            prepared.subtract(item.steps)
            bus.state.withLock { $0.again(number) }
            return
        default: break
        }
        let queue = item.message?.key ?? ""
        let sentence = "nobody serves \(queue), and nobody declared its queue"
        resolve(number, .failure(MessagingError(.unavailable, sentence)))
    }

    private static func notTaken(_ item: RabbitState.Item?) -> MessagingError {
        MessagingError(.unavailable, "the broker could not keep a message for \(item?.message?.key ?? "a queue")")
    }
}
