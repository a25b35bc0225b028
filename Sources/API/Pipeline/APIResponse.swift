// SPDX-License-Identifier: Apache-2.0

import Model

/// One HTTP response, free of any HTTP library. `Content-Length` is added by the server.
package struct APIResponse: Sendable {
    package var status: Int
    package var contentType = "application/json"
    /// Names in lower case, beside `content-type` and `content-length`.
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8]
    /// In place of `body`: asked for the next bytes when those before have been sent, until it answers nil. Of no known length.
    package var stream: (@Sendable () async throws -> [UInt8]?)?

    package init(status: Int, body: [UInt8] = []) {
        self.status = status
        self.body = body
    }

    /// A JSON document written straight to bytes.
    static func json(
        _ status: Int = 200, reserving bytes: Int = 1024, _ write: (inout JSONWriter) throws -> Void
    ) rethrows -> APIResponse {
        var writer = JSONWriter(reservingBytes: bytes)
        try write(&writer)
        return APIResponse(status: status, body: writer.bytes)
    }

    /// 202 with a really empty body.
    static let accepted = APIResponse(status: 202)

    /// The first header called `name` (lower case).
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}
