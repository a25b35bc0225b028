// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// One request that must be refused, and how.
struct AbuseCase: Sendable {
    var what: String
    var bytes: [UInt8]
    /// Statuses that are right.
    var statuses: Set<Int>
    /// Of the fault; nil: that of the status.
    var key: String?
    var isXML = false
    var isHead = false

    private static let keys = [
        400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 409: "conflict",
        413: "overLimit", 415: "badMediaType", 422: "unprocessableEntity", 501: "notImplemented",
        503: "serviceUnavailable",
    ]

    /// Any refusal that is the client's fault, or that says what is not supported.
    static let refused: Set<Int> = [400, 401, 403, 404, 409, 413, 415, 422, 501]
    /// A refusal, or success of what only reads.
    static let harmless = refused.union([200, 204])

    /// What is wrong with the answer; nil when nothing is.
    func flaw(_ reply: RequestLane.Reply) -> String? {
        let shown = "\(what): \(reply.head.prefix(300)) | \(String(decoding: reply.body.prefix(300), as: UTF8.self))"
        guard statuses.contains(reply.status) else { return "wrong status \(reply.status) for \(shown)" }
        guard reply.seconds < 5 else { return "\(reply.seconds) s for \(shown)" }
        guard reply.header("x-openstack-request-id")?.hasPrefix("req-") == true else {
            return "no request id for \(shown)"
        }
        guard !isHead, reply.status >= 400 else { return nil }
        let wanted = key ?? Self.keys[reply.status] ?? ""
        if isXML {
            let text = String(decoding: reply.body, as: UTF8.self)
            guard reply.header("content-type") == "application/xml",
                text.contains("<\(wanted) code=\"\(reply.status)\"")
            else { return "no XML fault for \(shown)" }
            return text.contains("<message>") ? nil : "no message for \(shown)"
        }
        guard reply.header("content-type") == "application/json", let fault = reply.fault else {
            return "no fault for \(shown)"
        }
        return fault.key == wanted ? nil : "the key '\(fault.key)' for \(shown)"
    }
}

/// Whose request a case is.
struct AbuseCaller: Sendable {
    let project: String
    let token: String

    init(_ client: RESTClient) { (project, token) = (client.project, client.token) }

    init(project: String, token: String) { (self.project, self.token) = (project, token) }

    /// A request as bytes.
    ///
    /// - Parameters:
    ///   - headers: Lines, each with its end.
    ///   - body: nil: none, and no length.
    func request(
        _ method: String, _ path: String, _ headers: String = "", type: String? = "application/json",
        body: [UInt8]? = nil
    ) -> [UInt8] {
        var head = "\(method) /v1.0/\(project)\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if !token.isEmpty { head += "X-Auth-Token: \(token)\r\n" }
        if let body {
            if let type { head += "Content-Type: \(type)\r\n" }
            head += "Content-Length: \(body.count)\r\n"
        }
        return Array((head + headers + "\r\n").utf8) + (body ?? [])
    }
}
