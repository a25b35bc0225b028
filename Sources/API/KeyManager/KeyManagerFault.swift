// SPDX-License-Identifier: Apache-2.0

import KeyManager
import Model

/// An error as clients of a key manager see it: `{"code": Int, "title": String, "description": String}`. Source: Key Manager API v1.
struct KeyManagerFault: Error {
    var status: Int
    /// One sentence for the client, without secrets.
    var description: String
    /// Seconds, sent as `Retry-After`.
    var retryAfter: Int?

    init(_ status: Int, _ description: String) {
        self.status = status
        self.description = description
    }

    init(_ error: KeyManagerError) {
        self.init(error.isRetryable ? 503 : 500, error.message)
        retryAfter = error.isRetryable ? 1 : nil
    }

    static let wrongMethod = KeyManagerFault(405, "This resource does not have that method.")
    static let unknownPath = KeyManagerFault(404, "The resource could not be found.")
    static let otherProject = KeyManagerFault(403, "The resource is of another project.")

    private static let titles = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        406: "Not Acceptable", 409: "Conflict", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
        429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
    ]

    var response: APIResponse {
        let document: JSONValue = [
            "code": .int(Int64(status)), "title": .string(Self.titles[status] ?? "Error"),
            "description": .string(description),
        ]
        var response = APIResponse(status: status, body: document.serialized)
        if let retryAfter { response.headers.append(("retry-after", String(retryAfter))) }
        return response
    }
}
