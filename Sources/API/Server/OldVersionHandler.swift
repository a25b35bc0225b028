// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Ends the connection of an HTTP/1.0 request after its answer, unless the client asks to keep it.
///
/// The layers above do not know a request's version, so this one says it in the header that they do know.
/// Source: RFC 9112 §9.3.
final class OldVersionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), head.version == .http1_0, !head.isKeepAlive else {
            context.fireChannelRead(data)
            return
        }
        head.headers.replaceOrAdd(name: "connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
