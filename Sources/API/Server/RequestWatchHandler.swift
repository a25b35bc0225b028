// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Behind the decoder: counts requests and answers, and sees to it that what is no HTTP is answered like other faults.
final class RequestWatchHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What no Host header can be.
    private static let noHost = "\""

    private let bytes: SlowClientHandler
    private let activity: ConnectionActivity
    /// Why the decoder gave up.
    private var failure: HTTPParserError?
    /// Written between head and end of the answer that the layers above leave empty.
    private var faultBody: [UInt8]?
    /// An answer has said that the connection ends with it: nothing behind it is served, or answered.
    private var isEnding = false
    private var hasEnded = false
    /// What is read is behind the last request that is served.
    private var hasStrayed = false

    init(_ bytes: SlowClientHandler, _ activity: ConnectionActivity) {
        self.bytes = bytes
        self.activity = activity
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            bytes.headRead()
            if isEnding { hasStrayed = true }
            guard !hasStrayed else { return }
            activity.began()
            let hosts = head.headers["host"].count
            // The layers above see no more than one. Source: RFC 9112 §3.2.
            if hosts > 1 || hosts == 0 && head.version != .http1_0 {
                head.headers.replaceOrAdd(name: "host", value: Self.noHost)
                return context.fireChannelRead(wrapInboundOut(.head(head)))
            }
        case .body: break
        case .end: bytes.endRead()
        }
        if !hasStrayed { context.fireChannelRead(data) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError { failure = error }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasEnded else {
            promise?.succeed()
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.status.code >= 200, head.headers[canonicalForm: "connection"].contains("close") { isEnding = true }
            guard let failure, head.status == .badRequest, head.headers["content-type"].isEmpty else { break }
            let fault = Self.fault(failure)
            faultBody = fault.response.body
            head.status = HTTPResponseStatus(statusCode: fault.status)
            head.headers.replaceOrAdd(name: "content-type", value: fault.response.contentType)
            head.headers.replaceOrAdd(name: "content-length", value: "\(fault.response.body.count)")
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: break
        case .end:
            activity.ended()
            if let faultBody {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: faultBody)))), promise: nil)
            }
            faultBody = nil
            hasEnded = isEnding
        }
        context.write(data, promise: promise)
    }

    private static func fault(_ failure: HTTPParserError) -> APIFault {
        failure == .headerOverflow
            ? APIFault(431, "The request line and the headers are longer than the service reads.")
            : APIFault(400, "The request is not HTTP/1.1.")
    }
}
