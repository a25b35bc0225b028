// SPDX-License-Identifier: Apache-2.0

/// One request.
package struct HTTPRequest: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Fills the buffer; the count, 0 at the end, or nil when the body cannot be had. Sent in chunks, or with
        /// `Content-Length` when `length` is known.
        case stream(length: Int?, @Sendable (UnsafeMutableRawBufferPointer) -> Int?)
    }

    /// An upper-case token such as `GET`.
    package var method: String
    package var url: HTTPAddress
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(
        _ method: String, _ url: HTTPAddress, headers: [(name: String, value: String)] = [], body: Body = .none
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Headers that belong to the connection, so a caller cannot set them.
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "expect", "te", "trailer", "upgrade",
        "proxy-authorization", "proxy-connection",
    ]

    /// - Throws: `.invalidRequest` naming the part, never a header's value.
    func check() throws(HTTPClientError) {
        guard Self.isToken(method), method == method.uppercased() else {
            throw HTTPClientError(.invalidRequest, "the method must be an upper-case word")
        }
        for (name, value) in headers {
            guard Self.isToken(name) else {
                throw HTTPClientError(.invalidRequest, "a header's name must be a token (RFC 9110 §5.6.2)")
            }
            guard !Self.reserved.contains(name.lowercased()) else {
                throw HTTPClientError(.invalidRequest, "the header '\(name)' is set by the client itself")
            }
            guard value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }), value.utf8.count <= 16 << 10 else {
                throw HTTPClientError(
                    .invalidRequest, "the header '\(name)' has control characters or more than 16 KiB")
            }
        }
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}

/// What a server answered.
package struct HTTPResponse: Sendable {
    package var status: Int
    /// Names in lower case; several of one name joined with `, `.
    package var headers: [String: String]
    /// Empty when it went to a sink.
    package var body: [UInt8]

    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What bounds one exchange.
package struct HTTPLimits: Sendable {
    /// The whole exchange ends here.
    package var deadline: ContinuousClock.Instant
    /// Readable when the caller wants an end; -1: never.
    package var cancelFD: Int32
    /// Bytes that are collected at most.
    package var bodyBytes: Int

    package init(deadline: ContinuousClock.Instant, cancelFD: Int32 = -1, bodyBytes: Int = 1 << 20) {
        self.deadline = deadline
        self.cancelFD = cancelFD
        self.bodyBytes = bodyBytes
    }
}

/// How this host reaches others.
package struct HTTPClientConfiguration: Sendable, Hashable {
    /// `http://host:port`; nil: none. Variables of the environment are not read.
    package var proxy: String?
    /// Certificates to trust, PEM; nil: the system's.
    package var caFile: String?
    package var userAgent: String
    /// Takes every certificate, whoever made it and whatever it is for.
    package var isInsecure: Bool

    package init(
        proxy: String? = nil, caFile: String? = nil, userAgent: String = "trove", isInsecure: Bool = false
    ) {
        self.proxy = proxy
        self.caFile = caFile
        self.userAgent = userAgent
        self.isInsecure = isInsecure
    }
}
