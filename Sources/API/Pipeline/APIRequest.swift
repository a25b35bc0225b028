// SPDX-License-Identifier: Apache-2.0

/// Who asked, and where.
package struct RequestOrigin: Sendable, Hashable {
    package var clientAddress: String?
    /// Host and port as the client named them.
    package var host: String?

    package init(clientAddress: String? = nil, host: String? = nil) {
        self.clientAddress = clientAddress
        self.host = host
    }
}

/// One HTTP request, free of any HTTP library.
package struct APIRequest: Sendable {
    /// A request's body, read at most once and only by the route that needs it.
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Reads at most the given number of bytes; throws the fault of a body that is larger.
        case stream(@Sendable (Int) async throws -> [UInt8])
    }

    package var method: String
    /// As sent: percent-encoded, without the query.
    package var path: String
    /// As sent, without the question mark; nil without one.
    package var query: String?
    /// Names in lower case.
    package var headers: [(name: String, value: String)]
    /// Host and port as the client named them.
    package var host: String
    /// Address of who sent it; nil when that is not known.
    package var clientAddress: String?
    package var body: Body

    /// - Parameter target: Path and query as they stand in the request line.
    package init(
        method: String, target: String, headers: [(name: String, value: String)] = [], host: String,
        clientAddress: String? = nil, body: Body = .none
    ) {
        self.method = method
        if let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(target[..<mark])
            query = String(target[target.utf8.index(after: mark)...])
        } else {
            path = target
            query = nil
        }
        self.headers = headers
        self.host = host
        self.clientAddress = clientAddress
        self.body = body
    }

    var origin: RequestOrigin { RequestOrigin(clientAddress: clientAddress, host: host) }

    /// The first header called `name` (lower case).
    func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// The body's bytes, empty without one.
    func bytes(limit: Int) async throws -> [UInt8] {
        switch body {
        case .none: return []
        case .bytes(let bytes):
            guard bytes.count <= limit else { throw APIFault.bodyTooLarge(limit: limit) }
            return bytes
        case .stream(let read): return try await read(limit)
        }
    }
}
