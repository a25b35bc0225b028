// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// Ends a connection that does not speak TLS, or not ours.
///
/// Port scans and clients that meant http are everyday, so an operator sees them only on demand.
final class TLSFailureHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("tls connection ended", metadata: ["error.message": .string("\(error)")])
        context.close(promise: nil)
    }
}
