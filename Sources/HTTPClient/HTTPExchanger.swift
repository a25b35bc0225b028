// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc

/// One HTTP exchange at a time, on the calling thread. Blocks: never on Swift's cooperative pool.
///
/// HTTP/1.1 over TCP, TLS by libcurl's own library and the system's trust store. Redirects are not followed, cookies and
/// credential files not read. Source: libcurl-multi(3).
package struct HTTPExchanger: Sendable {
    private let configuration: HTTPClientConfiguration
    private let connections: HTTPConnections?

    /// - Parameter connections: Kept for the next exchange; nil: each has a connection of its own.
    package init(
        _ configuration: HTTPClientConfiguration = HTTPClientConfiguration(), connections: HTTPConnections? = nil
    ) {
        self.configuration = configuration
        self.connections = connections
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Parameter sink: Takes the answer's body as it comes, whatever its status, and says whether it could; nil
    ///   collects it.
    /// - Returns: Every answer that a server gave, also 404 and 500.
    /// - Throws: `HTTPClientError`; after `.cancelled`, `.timedOut` and `.streamFailed` the server may have acted.
    package func perform(
        _ request: HTTPRequest, limits: HTTPLimits, sink: (@Sendable (UnsafeRawBufferPointer) -> Bool)? = nil
    ) throws(HTTPClientError) -> HTTPResponse {
        try request.check()
        let library = try CurlLibrary.get()
        guard let multi = connections?.take()?.multi ?? library.multiMake() else {
            throw HTTPClientError(.unavailable, "no memory for an HTTP exchange")
        }
        defer { release(multi, library) }
        guard let easy = library.easyMake() else {
            throw HTTPClientError(.unavailable, "no memory for an HTTP exchange")
        }
        let transfer = HTTPTransfer(body: request.body, sink: sink, limit: limits.bodyBytes)
        var list = headers(request, library)
        defer {
            _ = library.multiRemove(multi, easy)
            library.easyEnd(easy)
            library.listEnd(list)
            withExtendedLifetime(transfer) {}
        }
        let options = CurlOptions(library: library, easy: easy)
        options.apply(request, transfer, configuration, &list)
        guard library.multiAdd(multi, easy) == CURLM_OK else {
            throw HTTPClientError(.unavailable, "the HTTP exchange cannot be started")
        }
        try drive(library, multi, limits, transfer, origin: request.url.origin)
        guard let status = transfer.status else {
            throw HTTPClientError(.unavailable, "\(request.url.origin): the server sent no status")
        }
        return HTTPResponse(status: status, headers: transfer.headers, body: transfer.collected)
    }

    private func release(_ multi: CurlLibrary.Multi, _ library: CurlLibrary) {
        guard let connections else {
            _ = library.multiEnd(multi)
            return
        }
        connections.give(HTTPConnections.Handle(multi: multi), library)
    }

    private func headers(_ request: HTTPRequest, _ library: CurlLibrary) -> UnsafeMutablePointer<curl_slist>? {
        // No 100-continue: it costs a second with servers that do not know it.
        var list = library.listAppend(nil, "Expect:")
        for (name, value) in request.headers {
            // A header without a value is written with a semicolon. Source: CURLOPT_HTTPHEADER(3).
            let isBlank = value.utf8.allSatisfy { $0 == 32 || $0 == 9 }
            list = library.listAppend(list, isBlank ? "\(name);" : "\(name): \(value)") ?? list
        }
        return list
    }

    private func drive(
        _ library: CurlLibrary, _ multi: CurlLibrary.Multi, _ limits: HTTPLimits, _ transfer: HTTPTransfer,
        origin: HTTPAddress.Origin
    ) throws(HTTPClientError) {
        while true {
            var running: Int32 = 0
            guard library.multiPerform(multi, &running) == CURLM_OK else {
                throw HTTPClientError(.unavailable, "\(origin): the HTTP exchange broke off")
            }
            if let error = transfer.error { throw error }
            if running == 0 { break }
            let left = ContinuousClock.now.duration(to: limits.deadline)
            guard left > .zero else { throw HTTPClientError(.timedOut, "\(origin) did not answer in time") }
            var watched = curl_waitfd(fd: limits.cancelFD, events: Int16(CURL_WAIT_POLLIN), revents: 0)
            let milliseconds = Int32(min(left / .milliseconds(1) + 1, 1000))
            let polled = library.multiPoll(multi, &watched, limits.cancelFD >= 0 ? 1 : 0, milliseconds, nil)
            guard polled == CURLM_OK else {
                throw HTTPClientError(.unavailable, "\(origin): the HTTP exchange broke off")
            }
            if limits.cancelFD >= 0, Self.isReadable(limits.cancelFD) {
                throw HTTPClientError(.cancelled, "the exchange with \(origin) was stopped")
            }
        }
        var left: Int32 = 0
        while let message = library.multiRead(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let code = message.pointee.data.result
            guard code != CURLE_OK else { return }
            let reason = library.errorText(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
            let isLate = code == CURLE_OPERATION_TIMEDOUT
            throw HTTPClientError(isLate ? .timedOut : .unavailable, "\(origin): \(reason)")
        }
    }

    private static func isReadable(_ file: Int32) -> Bool {
        var watched = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) > 0
    }
}
