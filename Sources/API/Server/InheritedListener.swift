// SPDX-License-Identifier: Apache-2.0

import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Serves HTTP/1.1 on a listening socket that somebody else bound and keeps.
///
/// Works on a duplicate of the descriptor, so that the socket and its backlog outlive a stop. Source: the HTTP library's
/// own server, which can only bind by itself.
struct InheritedListener: Sendable {
    let descriptor: Int32
    let child: HTTP1Channel
    let maximumConnections: Int
    let stopTimeout: Duration
    let logger: Logger

    /// Accepts until graceful stop; then open requests may end within `stopTimeout`.
    ///
    /// - Throws: `IOError` when the descriptor is not a listening socket.
    func run() async throws {
        let connections = ConnectionRegistry()
        let server = try await listen(connections)
        let limit = stopTimeout
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await serve(server, connections) }
            group.addTask {
                do {
                    try await gracefulShutdown()
                    connections.quiesce()
                    server.channel.close(promise: nil)
                    try await Task.sleep(for: limit)
                    logger.warning(
                        "connections cut off at stop",
                        metadata: ["connection.count": .stringConvertible(connections.count)]
                    )
                } catch {
                    // The other task has ended, or the whole service is cancelled.
                }
            }
            await group.next()
            group.cancelAll()
            connections.closeAll()
        }
    }

    private typealias Connection = HTTP1Channel.Value

    private func listen(_ connections: ConnectionRegistry) async throws -> NIOAsyncChannel<Connection, Never> {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard duplicate >= 0 else { throw IOError(errnoCode: errno, reason: "fcntl(F_DUPFD_CLOEXEC)") }
        let (child, logger, maximum) = (child, logger, maximumConnections)
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AvailableConnectionsChannelHandler(maxConnections: maximum)
                    )
                }
            }
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .bind(duplicate) { channel in
                connections.add(channel)
                return child.setup(channel: channel, logger: logger).flatMapThrowing { connection in
                    let pipeline = channel.pipeline.syncOperations
                    let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
                    try pipeline.addHandler(OldVersionHandler(), position: .before(codec))
                    return connection
                }
            }
    }

    private func serve(_ server: NIOAsyncChannel<Connection, Never>, _ connections: ConnectionRegistry) async {
        await withDiscardingTaskGroup { group in
            do {
                try await server.executeThenClose { inbound in
                    for try await connection in inbound {
                        group.addTask { await child.handle(value: connection, logger: logger) }
                    }
                }
            } catch {
                logger.error("accepting stopped", metadata: ["error.message": .string("\(error)")])
            }
        }
    }
}

/// The open connections, so that they can be told to stop.
private final class ConnectionRegistry: Sendable {
    private struct State {
        var isQuiescing = false
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.channels.count } }

    func add(_ channel: any Channel) {
        let isLate = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return state.isQuiescing
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        // After its pipeline is set up.
        if isLate { channel.eventLoop.execute { Self.quiesce(channel) } }
    }

    /// Closes idle connections now and the others after their answer.
    func quiesce() {
        let channels = state.withLock { state in
            state.isQuiescing = true
            return Array(state.channels.values)
        }
        for channel in channels { Self.quiesce(channel) }
    }

    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }

    private static func quiesce(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
}
