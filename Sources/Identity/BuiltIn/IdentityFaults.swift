// SPDX-License-Identifier: Apache-2.0

import Model

extension IdentityResponse {
    /// A JSON document.
    static func json(_ value: JSONValue, status: Int = 200, headers: [(String, String)] = []) -> IdentityResponse {
        IdentityResponse(
            status: status, headers: [("Content-Type", "application/json"), ("Vary", "X-Auth-Token")] + headers,
            body: value.serialized)
    }

    /// `{"error": {"code", "title", "message"}}`. Source: the reference service's error documents.
    static func fault(_ error: IdentityError, baseURL: String) -> IdentityResponse {
        let (status, title) = statusLine(error.code)
        var headers: [(String, String)] = []
        if status == 401 { headers.append(("WWW-Authenticate", "Keystone uri=\"\(baseURL)/identity\"")) }
        if status == 429 || status == 503 { headers.append(("Retry-After", "2")) }
        return json(
            ["error": ["code": .int(Int64(status)), "title": .string(title), "message": .string(error.message)]],
            status: status, headers: headers)
    }

    /// For a path that is there under other methods.
    static func methodNotAllowed(_ allowed: String) -> IdentityResponse {
        json(
            [
                "error": [
                    "code": 405, "title": "Method Not Allowed",
                    "message": "The method is not allowed for the requested URL.",
                ]
            ], status: 405, headers: [("Allow", allowed)])
    }

    private static func statusLine(_ code: IdentityError.Code) -> (Int, String) {
        switch code {
        case .unauthorized: (401, "Unauthorized")
        case .forbidden: (403, "Forbidden")
        case .notFound: (404, "Not Found")
        case .badRequest: (400, "Bad Request")
        case .conflict: (409, "Conflict")
        case .tooManyAttempts: (429, "Too Many Requests")
        case .unavailable, .overloaded: (503, "Service Unavailable")
        default: (500, "Internal Server Error")
        }
    }
}
