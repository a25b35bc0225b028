// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import HummingbirdCore
import Model
import NIOCore
import Synchronization

/// Translates between the HTTP library and `APIRequest`, `APIResponse`, and bounds what a slow or endless body costs.
struct HTTPBridge: Sendable {
    let responder: APIResponder
    let configuration: APIConfiguration
    let clock: any WallClock
    private let date = HTTPDate()

    init(responder: APIResponder, configuration: APIConfiguration, clock: any WallClock) {
        self.responder = responder
        self.configuration = configuration
        self.clock = clock
    }

    /// Serves one request of a connection.
    @concurrent
    func handle(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let body = BridgedBody(request)
        let deadline = body.isExpected ? closing(channel, after: configuration.bodyTimeout) : nil
        if body.isExpected, request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let (response, isHead) = await respond(request, body)
        let mustClose = body.isUnbounded(configuration.maximumBodyBytes) || Self.asksToClose(request)
        let head = head(response, closes: mustClose)
        let bytes = isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: response.body))
        try await writer.write(response: head, body: bytes)
        if mustClose {
            // Time for the client to read the answer before the rest of what it sends is refused.
            _ = closing(channel, after: .milliseconds(500))
        } else {
            try await body.drain()
        }
        deadline?.cancel()
    }

    private func respond(_ request: Request, _ body: BridgedBody) async -> (APIResponse, isHead: Bool) {
        var target = request.head.path ?? "/"
        if !target.hasPrefix("/"), target.contains("://") {
            let uri = URI(target)
            target = uri.path + (uri.query.map { "?" + $0 } ?? "")
        }
        let method = request.method.rawValue
        let api = APIRequest(
            method: method, target: target,
            headers: request.headers.map { ($0.name.canonicalName, $0.value) },
            host: request.head.authority ?? configuration.listenDescription,
            body: body.isExpected ? .stream { try await body.collect(limit: $0) } : .none
        )
        return (await responder.respond(to: api), method == "HEAD")
    }

    private func closing(_ channel: any Channel, after duration: Duration) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: TimeAmount(duration)) { channel.close(promise: nil) }
    }

    private static func asksToClose(_ request: Request) -> Bool {
        request.headers[.connection]?.lowercased() == "close"
    }

    private func head(_ response: APIResponse, closes: Bool) -> HTTPResponse {
        var fields = HTTPFields()
        fields[.contentType] = response.contentType
        fields[.contentLength] = String(response.body.count)
        fields[.date] = date.text(clock.now)
        if closes { fields[.connection] = "close" }
        for (name, value) in response.headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        return HTTPResponse(status: HTTPResponse.Status(code: response.status), headerFields: fields)
    }
}

/// A request's body: read once, by whoever is first.
private final class BridgedBody: Sendable {
    private enum State {
        case unread
        case read
        /// Given up: too large.
        case abandoned
    }

    private let request: Request
    private let length: Int?
    /// Whether the head announces a body.
    let isExpected: Bool
    private let state = Mutex(State.unread)

    init(_ request: Request) {
        self.request = request
        length = request.headers[.contentLength].flatMap { Int($0) }
        isExpected = request.headers[.transferEncoding] != nil || (length ?? 0) > 0
    }

    /// Whether the rest is not worth reading.
    func isUnbounded(_ limit: Int) -> Bool {
        state.withLock { $0 == .abandoned } || (length ?? 0) > limit
    }

    func collect(limit: Int) async throws -> [UInt8] {
        guard (length ?? 0) <= limit else {
            state.withLock { $0 = .abandoned }
            throw APIFault.bodyTooLarge(limit: limit)
        }
        state.withLock { $0 = .read }
        do {
            return Array(buffer: try await request.body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            state.withLock { $0 = .abandoned }
            throw APIFault.bodyTooLarge(limit: limit)
        }
    }

    /// Skips a body that nobody read, so that the connection's next request is found.
    func drain() async throws {
        guard isExpected, state.withLock({ $0 == .unread }) else { return }
        for try await _ in request.body {}
    }
}
