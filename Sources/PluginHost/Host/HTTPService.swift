// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import HTTPClient
import Model

/// `trove.http/1`.
enum HTTPService {
    static let collectLimit = 1 << 20

    static var table: trove_http_1 {
        trove_http_1(
            size: UInt32(MemoryLayout<trove_http_1>.size), flags: 0,
            request: { HTTPService.request($0, $1, $2, $3, $4) }
        )
    }

    private static func request(
        _ token: OpaquePointer?, _ request: trove_str, _ body: UnsafePointer<trove_istream_1>?,
        _ sink: UnsafePointer<trove_ostream_1>?, _ response: UnsafeMutablePointer<trove_str>?
    ) -> trove_status {
        response?.pointee = trove_str()
        return ServiceCall.serve(token, "http.request") { call throws(PluginError) in
            let document = try ServiceCall.object(request, "the http request")
            let source: PluginSource? = body == nil ? nil : try PluginSource(body, "body")
            let sink: PluginSink? = sink == nil ? nil : try PluginSink(sink, "sink")
            let answer = try exchange(document, source, sink, call)
            response?.pointee = call.borrow(answer.json(isStreamed: sink != nil).serialized)
        }
    }

    private static func exchange(
        _ document: JSONValue, _ source: PluginSource?, _ sink: PluginSink?, _ call: PluginCall
    ) throws(PluginError) -> HTTPResponse {
        var take: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
        if let sink {
            let stream = Borrow(sink)
            take = { stream.value.take($0) }
        }
        do throws(HTTPClientError) {
            let address = try HTTPAddress(document["url"]?.stringValue ?? "")
            try check(address, call)
            let request = try parse(document, address, source)
            return try HTTPExchanger(call.host.http).perform(request, limits: try limits(document, call), sink: take)
        } catch {
            throw PluginError(code(error.code), error.message)
        }
    }

    private static func check(_ address: HTTPAddress, _ call: PluginCall) throws(HTTPClientError) {
        guard call.host.egress.contains(address.origin.description) else {
            throw HTTPClientError(
                .refused,
                "'\(call.host.id)' may not ask \(address.origin); an operator allows it in plugins.yaml, egress"
            )
        }
    }

    private static func parse(
        _ document: JSONValue, _ address: HTTPAddress, _ source: PluginSource?
    ) throws(HTTPClientError) -> HTTPRequest {
        guard let method = document["method"]?.stringValue,
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(method)
        else { throw invalid("method must be GET, HEAD, POST, PUT, PATCH or DELETE") }
        var request = HTTPRequest(method, address)
        var length: Int?
        if let headers = document["headers"], !headers.isNull {
            guard let members = headers.objectValue, members.count <= 100 else {
                throw invalid("headers must be an object of at most 100 texts")
            }
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                guard let value = value.stringValue else { throw invalid("headers must be an object of texts") }
                // A plugin that knows how much it will stream says so; everything else counts for itself.
                if source != nil, name.lowercased() == "content-length" {
                    guard let number = Int(value), number >= 0 else { throw invalid("content-length must be a number") }
                    length = number
                } else {
                    request.headers.append((name, value))
                }
            }
        }
        if let body = document["body"], !body.isNull {
            guard let text = body.stringValue else { throw invalid("body must be a text") }
            guard source == nil else { throw invalid("there is a body in the request and a stream beside it") }
            request.body = .bytes(Array(text.utf8))
        } else if let source {
            let stream = Borrow(source)
            request.body = .stream(length: length) { stream.value.fill($0) }
        }
        if method == "GET" || method == "HEAD" {
            guard case .none = request.body else { throw invalid("a \(method) request has no body") }
        }
        return request
    }

    private static func limits(_ document: JSONValue, _ call: PluginCall) throws(HTTPClientError) -> HTTPLimits {
        var deadline = call.options.deadline.instant
        if let timeout = document["timeout_s"], !timeout.isNull {
            guard let seconds = timeout.doubleValue, seconds > 0, seconds < 1e9 else {
                throw invalid("timeout_s must be positive")
            }
            deadline = min(deadline, .now + .seconds(seconds))
        }
        return HTTPLimits(deadline: deadline, cancelFD: call.cancelFD(), bodyBytes: collectLimit)
    }

    private static func invalid(_ message: String) -> HTTPClientError {
        HTTPClientError(.invalidRequest, "http request: \(message)")
    }

    private static func code(_ code: HTTPClientError.Code) -> PluginError.Code {
        switch code {
        case .invalidRequest: .invalidArgument
        case .refused: .permissionDenied
        case .timedOut: .timedOut
        case .cancelled: .cancelled
        case .tooLarge: .exhausted
        default: .unavailable
        }
    }
}

/// What the calling thread lends to a closure that this same thread runs before it returns.
///
/// Unchecked: never leaves the thread.
private struct Borrow<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension HTTPResponse {
    /// `http-response.json`.
    func json(isStreamed: Bool) -> JSONValue {
        var members: [String: JSONValue] = [
            "status": .int(Int64(status)), "headers": .object(headers.mapValues(JSONValue.string)), "body": .null,
        ]
        if !isStreamed {
            if let text = String(validating: body, as: UTF8.self) {
                members["body"] = .string(text)
            } else {
                members["body_base64"] = .string(Base64.encode(body))
            }
        }
        return .object(members)
    }
}
