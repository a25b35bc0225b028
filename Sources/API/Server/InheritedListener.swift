// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// Serves HTTP/1.1 on a listening socket that somebody else bound and keeps, beside any number of other processes.
///
/// The socket and its backlog outlive a stop. Source: the HTTP library's own server, which can only bind by itself.
struct InheritedListener: Sendable {
    let descriptor: Int32
    let child: HTTP1Channel
    let maximumConnections: Int
    let stopTimeout: Duration
    /// What connections are encrypted with; nil: nothing.
    var certificates: ListenerCertificates?
    var patience = DrainStateMachine.Patience()
    var deadlines = ConnectionDeadlines()
    let logger: Logger

    /// Accepts until graceful stop; then open requests may end within `stopTimeout`.
    ///
    /// - Throws: `IOError` when the descriptor is not a listening socket.
    func run() async throws {
        let registry = ConnectionRegistry()
        let loop = try AcceptLoop(descriptor, maximumConnections: maximumConnections, logger: logger) {
            registry.closeIdlest()
        }
        let limit = stopTimeout
        loop.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await serve(loop, registry) }
            group.addTask {
                do {
                    try await gracefulShutdown()
                    loop.stop()
                    registry.drain()
                    try await Task.sleep(for: limit)
                    logger.warning(
                        "connections cut off at stop",
                        metadata: ["connection.count": .stringConvertible(registry.count)]
                    )
                } catch {
                    // The other task has ended, or the whole service is cancelled.
                }
            }
            await group.next()
            group.cancelAll()
            loop.stop()
            registry.closeAll()
        }
    }

    private func serve(_ loop: AcceptLoop, _ registry: ConnectionRegistry) async {
        await withDiscardingTaskGroup { group in
            for await accepted in loop.connections {
                group.addTask {
                    await serve(accepted, registry)
                    loop.release()
                }
            }
        }
    }

    private func serve(_ accepted: AcceptLoop.Accepted, _ registry: ConnectionRegistry) async {
        guard let descriptor = accepted.take() else { return }
        do {
            let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .withConnectedSocket(descriptor) { channel in setUp(channel, registry) }
            await child.handle(value: connection, logger: logger)
        } catch {
            logger.debug("connection not set up", metadata: ["error.message": .string("\(error)")])
        }
    }

    private func setUp(
        _ channel: any Channel, _ registry: ConnectionRegistry
    ) -> EventLoopFuture<HTTP1Channel.Value> {
        let activity = ConnectionActivity()
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let certificates {
                try pipeline.addHandler(NIOSSLServerHandler(context: try certificates.context()))
                try pipeline.addHandler(TLSFailureHandler(logger: logger))
            }
            try pipeline.addHandler(SlowClientHandler(deadlines, activity))
        }.flatMap {
            child.setup(channel: channel, logger: logger)
        }.flatMapThrowing { connection in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            let watch = RequestWatchHandler(try pipeline.handler(type: SlowClientHandler.self), activity)
            try pipeline.addHandlers(
                [watch, DrainHandler(patience: patience), OldVersionHandler()], position: .before(codec))
            registry.add(channel, activity)
            return connection
        }
    }
}
