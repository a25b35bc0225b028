// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// An HTTP request: `http-request`.
public struct HTTPRequest: Sendable {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    public var method: String
    /// `http` or `https`; only servers that the operator allows this plugin.
    public var url: String
    /// Names and values. `content-length` beside a streamed body says how long that is.
    public var headers: [String: String]
    /// Text to send; `nil` for none, or for a stream.
    public var body: String?
    /// Seconds for the whole exchange; `nil` for the call's deadline alone.
    public var timeoutSeconds: Double?

    /// A request.
    public init(
        _ method: String, _ url: String, headers: [String: String] = [:], body: String? = nil,
        timeoutSeconds: Double? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
    }

    var json: JSON {
        .members([
            "method": .string(method), "url": .string(url), "headers": .object(headers.mapValues(JSON.string)),
            "body": body.map(JSON.string), "timeout_s": timeoutSeconds.map(JSON.double),
        ])
    }
}

/// What a server answered: `http-response`.
public struct HTTPAnswer: Sendable {
    /// 100...599.
    public var status: Int
    /// Names in lower case; several of one name joined with `, `.
    public var headers: [String: String]
    /// As text; `nil` if it was streamed, or is no UTF-8.
    public var body: String?
    /// Base64 of a body that is no UTF-8.
    public var bodyBase64: String?

    init(_ json: JSON) throws {
        status = try json.integer("status")
        headers = (json["headers"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
        body = json["body"]?.stringValue
        bodyBase64 = json["body_base64"]?.stringValue
    }
}

/// Requests over HTTP, through `trove.http/1`: the host's trust store, proxy and egress list. Redirects are not followed.
public struct HTTP: Sendable {
    /// Sends a request and waits for the answer, at most 1 MiB of body.
    ///
    /// - Returns: Every answer that a server gave, also 404 and 500.
    /// - Throws: `PluginFailure` `.permissionDenied` for a server that the operator did not allow, `.unavailable` without
    ///   an answer, `.exhausted` for a larger body; `.cancelled`, `.timedOut`.
    public func send(_ request: HTTPRequest, call: Call) throws -> HTTPAnswer {
        try perform(request, nil, nil, call)
    }

    /// Sends a request with streams.
    ///
    /// - Parameters:
    ///   - upload: Fills the buffer with the next bytes of the body; 0 at the end. `nil`: the body in the request.
    ///   - download: Takes the answer's bytes as they come. `nil`: they are collected.
    public func send(
        _ request: HTTPRequest, upload: ((UnsafeMutableRawBufferPointer) throws -> Int)? = nil,
        download: ((UnsafeRawBufferPointer) throws -> Void)?, call: Call
    ) throws -> HTTPAnswer {
        let withSink = { (source: UnsafePointer<trove_istream_1>?) throws -> HTTPAnswer in
            guard let download else { return try perform(request, source, nil, call) }
            return try LentStream.sink(download) { try perform(request, source, $0, call) }
        }
        guard let upload else { return try withSink(nil) }
        return try LentStream.source(upload) { try withSink($0) }
    }

    private func perform(
        _ request: HTTPRequest, _ body: UnsafePointer<trove_istream_1>?, _ sink: UnsafePointer<trove_ostream_1>?,
        _ call: Call
    ) throws -> HTTPAnswer {
        guard let send = Runtime.http?.pointee.request else { throw Host.missing("trove.http/1") }
        var response = trove_str(ptr: nil, len: 0)
        let status = request.json.text.withTroveString { send(call.handle, $0, body, sink, &response) }
        try Host.check(status, "the HTTP request failed")
        return try HTTPAnswer(try JSON(borrowed: response))
    }
}

extension Host {
    /// Requests over HTTP.
    public static let http = HTTP()
}
