// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// How long a client may take for what it sends and takes, whatever connection it is.
struct ConnectionDeadlines: Sendable {
    /// From the first byte of a request's head to the last.
    var head = TimeAmount.seconds(10)
    /// Until a client takes the next part of an answer.
    var write = TimeAmount.seconds(30)
}

/// Ends a connection whose client sends a request's head, or takes an answer, too slowly.
///
/// Stands where bytes come in: a head that trickles is no request yet for those behind the decoder.
final class SlowClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let deadlines: ConnectionDeadlines
    private let activity: ConnectionActivity
    /// Between a request's head and its end.
    private var isReadingRequest = false
    private var headTimer: Scheduled<Void>?
    private var writeTimer: Scheduled<Void>?

    init(_ deadlines: ConnectionDeadlines, _ activity: ConnectionActivity) {
        self.deadlines = deadlines
        self.activity = activity
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        headTimer?.cancel()
        writeTimer?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isReadingRequest, headTimer == nil { awaitHead(context) }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writeTimer?.cancel()
        writeTimer = nil
        if !context.channel.isWritable {
            writeTimer = context.eventLoop.scheduleTask(in: deadlines.write) { [channel = context.channel] in
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Told by the decoder's side.
    func headRead() {
        headTimer?.cancel()
        headTimer = nil
        isReadingRequest = true
    }

    /// Told by the decoder's side.
    func endRead() { isReadingRequest = false }

    private func awaitHead(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        headTimer = context.eventLoop.scheduleTask(in: deadlines.head) {
            let (handler, context) = bound.value
            // Answers to what was sent before are not cut off.
            if handler.activity.isIdle { context.close(promise: nil) } else { handler.awaitHead(context) }
        }
    }
}
