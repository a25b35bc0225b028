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
        let body = BridgedBody(request, channel, timeout: configuration.bodyTimeout)
        if body.isExpected, request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let (response, isHead) = await respond(request, body)
        let wish = request.headers[.connection]?.lowercased()
        let mustClose =
            body.isUnbounded(configuration.maximumBodyBytes) || !Self.isReadable(request) || wish == "close"
            || response.stream != nil
        let head = head(response, connection: mustClose ? "close" : wish == "keep-alive" ? "keep-alive" : nil)
        if let stream = response.stream, !isHead {
            // Each piece goes when the client has taken those before; one that has left is noticed at the next.
            defer { channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) } }
            let pieces = ResponseBody { body in
                while let bytes = try await stream() { try await body.write(ByteBuffer(bytes: bytes)) }
                try await body.finish(nil)
            }
            return try await writer.write(response: head, body: pieces)
        }
        let bytes = isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: response.body))
        try await writer.write(response: head, body: bytes)
        if mustClose {
            // Time for the client to read the answer before the rest of what it sends is refused.
            channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
        } else {
            try await body.drain()
        }
    }

    private func respond(_ request: Request, _ body: BridgedBody) async -> (APIResponse, isHead: Bool) {
        var target = request.head.path ?? "/"
        if !target.hasPrefix("/"), target.contains("://") {
            let uri = URI(target)
            target = uri.path + (uri.query.map { "?" + $0 } ?? "")
        }
        let method = request.method.rawValue
        let named = request.head.authority ?? ""
        let host = named.isEmpty ? configuration.listenDescription : named
        let api = APIRequest(
            method: method, target: target,
            headers: request.headers.map { ($0.name.canonicalName, $0.value) },
            host: host,
            clientAddress: body.clientAddress,
            body: body.isExpected ? .stream { try await body.collect(limit: $0) } : .none
        )
        // The name goes into links, so what no name can have is not repeated.
        guard Self.isHost(host) else {
            let fault = APIFault(400, "A request needs one Host header, with a host name and a port.")
            return (fault.response.represented(for: api), method == "HEAD")
        }
        guard Self.isReadable(request) else {
            let fault = APIFault(501, "The only Transfer-Encoding of a request is 'chunked'.")
            return (fault.response.represented(for: api), method == "HEAD")
        }
        return (await responder.respond(to: api), method == "HEAD")
    }

    /// The decoder takes other codings apart as far as "chunked", and hands on what is still encoded. Source: RFC 9112 §6.1.
    private static func isReadable(_ request: Request) -> Bool {
        request.headers[.transferEncoding].map { $0.lowercased() == "chunked" } ?? true
    }

    private static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"):
                true
            default: false
            }
        }
    }

    private func head(_ response: APIResponse, connection: String?) -> HTTPResponse {
        var fields = HTTPFields()
        fields[.contentType] = response.contentType
        if response.stream == nil { fields[.contentLength] = String(response.body.count) }
        fields[.date] = date.text(clock.now)
        fields[.connection] = connection
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
    private let channel: any Channel
    private let timeout: TimeAmount
    private let length: Int?
    /// Whether the head announces a body.
    let isExpected: Bool
    private let state = Mutex(State.unread)

    init(_ request: Request, _ channel: any Channel, timeout: Duration) {
        self.request = request
        self.channel = channel
        self.timeout = TimeAmount(timeout)
        length = request.headers[.contentLength].flatMap { Int($0) }
        isExpected = request.headers[.transferEncoding] != nil || (length ?? 0) > 0
    }

    /// Address of the other end.
    var clientAddress: String? { channel.remoteAddress?.ipAddress }

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
        let deadline = startDeadline()
        defer { deadline.cancel() }
        do {
            return Array(buffer: try await request.body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            state.withLock { $0 = .abandoned }
            throw APIFault.bodyTooLarge(limit: limit)
        } catch {
            state.withLock { $0 = .abandoned }
            throw APIFault(400, "The request body ended early.")
        }
    }

    /// Skips a body that nobody read, so that the connection's next request is found.
    func drain() async throws {
        guard isExpected, state.withLock({ $0 == .unread }) else { return }
        let deadline = startDeadline()
        defer { deadline.cancel() }
        for try await _ in request.body {}
    }

    /// Runs while bytes are waited for, and not while a route works: that may take longer.
    private func startDeadline() -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: timeout) { [channel] in channel.close(promise: nil) }
    }
}
