// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The open connections of a listener, so that they can be told to end.
final class ConnectionRegistry: Sendable {
    private enum Phase { case serving, draining, closed }

    private struct Entry {
        let channel: any Channel
        let activity: ConnectionActivity
    }

    private struct State {
        var phase = Phase.serving
        var entries: [ObjectIdentifier: Entry] = [:]
    }

    /// A client that has just connected, or been answered, is about to ask.
    private static let leastIdle = Duration.seconds(1)
    private static let closedAtOnce = 16

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.entries.count } }

    /// - Parameter channel: One whose pipeline is complete.
    func add(_ channel: any Channel, _ activity: ConnectionActivity) {
        let phase = state.withLock { state in
            state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, activity: activity)
            return state.phase
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.entries.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        switch phase {
        case .serving: break
        case .draining: Self.drain(channel)
        case .closed: channel.close(promise: nil)
        }
    }

    /// Tells every connection, also later ones, to end after its answer.
    func drain() {
        for channel in enter(.draining) { Self.drain(channel) }
    }

    /// Closes every connection, also later ones.
    func closeAll() {
        for channel in enter(.closed) { channel.close(promise: nil) }
    }

    /// Closes the connections that have been without a request for longest, so that others find room.
    func closeIdlest() {
        let latest = ContinuousClock.now - Self.leastIdle
        let idle = state.withLock { Array($0.entries.values) }.compactMap { entry in
            entry.activity.idleSince.flatMap { $0 < latest ? (since: $0, channel: entry.channel) : nil }
        }
        for entry in idle.sorted(by: { $0.since < $1.since }).prefix(Self.closedAtOnce) {
            entry.channel.close(promise: nil)
        }
    }

    private func enter(_ phase: Phase) -> [any Channel] {
        state.withLock { state in
            state.phase = phase
            return state.entries.values.map(\.channel)
        }
    }

    private static func drain(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
}
