// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Ends a connection when its server drains, so that no client loses a request or an answer.
final class DrainHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long the client may take to close its side after this one did.
    private static let linger = TimeAmount.seconds(1)

    private var state: DrainStateMachine
    /// Reads a request that nobody serves.
    private var isDropping = false
    private var timer: Scheduled<Void>?

    init(patience: DrainStateMachine.Patience, now: NIODeadline = .now()) {
        state = DrainStateMachine(patience: patience, now: now)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        // The layers above would close at once.
        act(state.drain(now: .now()), context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { isDropping = !state.readHead(now: .now()) }
        if !isDropping { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200 && state.writeHead():
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            let action = state.writeEnd(now: .now())
            guard action == .close else {
                context.write(data, promise: promise)
                return act(action, context)
            }
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
            written.futureResult.whenComplete { _ in bound.value.handler.close(bound.value.context) }
            context.writeAndFlush(data, promise: written)
        default:
            context.write(data, promise: promise)
        }
    }

    private func act(_ action: DrainStateMachine.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .nothing: break
        case .wait(let moment): schedule(moment, context) { $0.act($0.state.check(now: .now()), $1) }
        case .close: close(context)
        }
    }

    /// Sends the end and leaves the other direction open: a close with unread bytes would take the answer back.
    private func close(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        schedule(.now() + Self.linger, context) { $1.close(promise: nil) }
    }

    private func schedule(
        _ moment: NIODeadline, _ context: ChannelHandlerContext,
        _ body: @escaping @Sendable (DrainHandler, ChannelHandlerContext) -> Void
    ) {
        timer?.cancel()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: moment) {
            body(bound.value.handler, bound.value.context)
        }
    }
}
