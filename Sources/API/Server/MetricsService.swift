// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// Answers `GET /metrics` on a listener of its own, for scrapers. Nothing else is served there, and nobody is asked who
/// they are: bind it where only the scraper comes.
package final class MetricsService: Service {
    private let listener: Int32
    private let address: String
    private let contentType: String
    private let text: @Sendable () async -> String
    private let logger: Logger

    /// - Parameters:
    ///   - listener: A bound and listening stream socket; it stays open after a stop.
    ///   - text: Everything measured, as the scraper reads it.
    package init(
        listener: Int32, address: String, contentType: String, text: @Sendable @escaping () async -> String,
        logger: Logger
    ) {
        self.listener = listener
        self.address = address
        self.contentType = contentType
        self.text = text
        self.logger = logger
    }

    /// Serves until graceful stop or cancellation.
    package func run() async throws {
        let (text, contentType) = (text, contentType)
        let child = HTTP1Channel(
            responder: { request, writer, _ in try await Self.answer(request, writer, contentType, text) },
            configuration: HTTP1Channel.Configuration(
                idleTimeout: .seconds(60),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 50)))
        logger.notice("metrics serving", metadata: ["http.address": .string(address)])
        try await InheritedListener(
            descriptor: listener, child: child, maximumConnections: 16, stopTimeout: .seconds(1), logger: logger
        ).run()
    }

    @concurrent
    private static func answer(
        _ request: Request, _ writer: consuming ResponseWriter, _ contentType: String,
        _ text: @Sendable () async -> String
    ) async throws {
        let path = (request.head.path ?? "").prefix { $0 != "?" }
        let isRead = request.method == .get || request.method == .head
        let status: HTTPResponse.Status = path != "/metrics" ? .notFound : isRead ? .ok : .methodNotAllowed
        let body = status == .ok ? await text() : "GET /metrics\n"
        var fields = HTTPFields()
        fields[.contentType] = status == .ok ? contentType : "text/plain"
        fields[.contentLength] = String(body.utf8.count)
        // One exchange a connection: what a scraper sends besides its head is not read.
        fields[.connection] = "close"
        let bytes = request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(string: body))
        try await writer.write(response: HTTPResponse(status: status, headerFields: fields), body: bytes)
    }
}
