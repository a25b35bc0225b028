// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model

/// Connects to one of a broker's addresses after the other, and says so when that changes.
struct RabbitConnector {
    private let configuration: RabbitConfiguration
    private let addresses: [RabbitURL.Address]
    private let name: String
    private let logger: Logger
    private var next = 0
    private var backoff = ReconnectBackoff()
    private var lastFailure: String?
    private var generator = SystemRandomNumberGenerator()

    /// - Parameter name: Of the connection, for the broker's list.
    init(_ configuration: RabbitConfiguration, name: String, logger: Logger) {
        self.configuration = configuration
        addresses = configuration.url.addresses.shuffled()
        self.name = name
        self.logger = logger
    }

    /// Tries the next address.
    mutating func connect() throws(RabbitFailure) -> RabbitConnection {
        defer { next = (next + 1) % addresses.count }
        return try RabbitConnection(configuration, addresses[next], name: name)
    }

    /// Notes that a connection works.
    mutating func succeeded() {
        if lastFailure != nil { logger.info("bus is back", metadata: ["bus.connection": "\(name)"]) }
        lastFailure = nil
        backoff.reset()
    }

    /// Notes why there is no connection; says it once.
    mutating func failed(_ failure: RabbitFailure) {
        guard failure.description != lastFailure else { return }
        lastFailure = failure.description
        logger.log(
            level: failure.isLasting ? .error : .info, "bus is away",
            metadata: ["bus.connection": "\(name)", "error.message": "\(failure)"])
    }

    /// How long to wait before the next attempt; nothing until each address was tried once.
    mutating func pause() -> Duration {
        next == 0 ? backoff.next(using: &generator) : .milliseconds(1)
    }
}
