// SPDX-License-Identifier: Apache-2.0

import CCurl

/// What libcurl's callbacks of one exchange share; used on the thread that performs it alone.
final class HTTPTransfer {
    private(set) var status: Int?
    private(set) var headers: [String: String] = [:]
    private(set) var collected: [UInt8] = []
    /// Why a callback stopped the exchange.
    private(set) var error: HTTPClientError?

    private static let headerLimit = 256 << 10
    private let body: HTTPRequest.Body
    private let sink: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
    private let limit: Int
    private var sent = 0
    private var headerBytes = 0

    init(body: HTTPRequest.Body, sink: (@Sendable (UnsafeRawBufferPointer) -> Bool)?, limit: Int) {
        self.body = body
        self.sink = sink
        self.limit = limit
    }

    static let takeHeader: trove_curl_data_fn = { data, size, count, context in
        HTTPTransfer.from(context)?.header(data, size * count) ?? 0
    }

    static let takeBody: trove_curl_data_fn = { data, size, count, context in
        HTTPTransfer.from(context)?.take(UnsafeRawBufferPointer(start: data, count: size * count)) ?? 0
    }

    static let giveBody: trove_curl_data_fn = { data, size, count, context in
        HTTPTransfer.from(context)?.give(UnsafeMutableRawBufferPointer(start: data, count: size * count))
            ?? Int(CURL_READFUNC_ABORT)
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
        context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// One line of a head; a status line begins a new one, as after `100 Continue`.
    private func header(_ data: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        headerBytes += count
        guard headerBytes <= Self.headerLimit else {
            return stop(HTTPClientError(.tooLarge, "the answer's headers are larger than \(Self.headerLimit) bytes"))
        }
        let line = String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            let words = line.split(separator: " ")
            status = words.count > 1 ? Int(words[1].prefix(3)) : nil
            headers = [:]
            return count
        }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return count }
        let name = line[..<colon].lowercased()
        let value = Self.trimmed(line[line.utf8.index(after: colon)...])
        headers[name] = headers[name].map { $0 + ", " + value } ?? value
        return count
    }

    private static func trimmed(_ text: Substring) -> String {
        var view = text.unicodeScalars
        let blanks: Set<Unicode.Scalar> = [" ", "\t", "\r", "\n"]
        while let first = view.first, blanks.contains(first) { view.removeFirst() }
        while let last = view.last, blanks.contains(last) { view.removeLast() }
        return String(view)
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let sink {
            guard sink(bytes) else {
                return stop(HTTPClientError(.streamFailed, "the answer's receiver does not take more bytes"))
            }
            return bytes.count
        }
        guard bytes.count <= limit - collected.count else {
            return stop(HTTPClientError(.tooLarge, "the answer is larger than \(limit) bytes; give it a sink"))
        }
        collected.append(contentsOf: bytes)
        return bytes.count
    }

    private func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        switch body {
        case .none: return 0
        case .bytes(let bytes):
            let count = min(buffer.count, bytes.count - sent)
            buffer.copyBytes(from: bytes[sent..<sent + count])
            sent += count
            return count
        case .stream(_, let read):
            guard let count = read(buffer), count >= 0, count <= buffer.count else {
                error = HTTPClientError(.streamFailed, "the request's body cannot be read")
                return Int(CURL_READFUNC_ABORT)
            }
            return count
        }
    }

    /// - Returns: Fewer bytes than there are, which ends the exchange.
    private func stop(_ reason: HTTPClientError) -> Int {
        error = reason
        return 0
    }
}
