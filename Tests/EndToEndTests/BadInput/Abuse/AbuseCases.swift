// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// What is asked of one operation.
struct AbuseCases {
    static let nobody = "0dd0dd0d-0000-4000-8000-000000000000"
    /// Reads that every verb asks for. Source: REST contract §10.
    private static let anyVerb: Set<String> = [
        "/datastores/{datastore}/versions", "/datastores/versions/{version}",
        "/datastores/{datastore}/versions/{version}",
    ]
    /// Management that asks for no administrator, as the tenant's own routes do not. Source: REST contract §13, §15.
    private static let inherited: Set<String> = [
        "POST /mgmt/instances", "PUT /mgmt/instances/{id}", "PATCH /mgmt/instances/{id}", "DELETE /mgmt/instances/{id}",
        "POST /mgmt/clusters", "DELETE /mgmt/clusters/{id}",
    ]
    private static let verbs = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]

    let tenant: AbuseCaller
    let administrator: AbuseCaller
    let all: [DescribedOperation]
    let schemas: SchemaAbuse
    /// Ids of the tenant's own objects, and of the administrator's, by the path before them.
    let own: [String: String]
    let theirs: [String: String]
    /// Bytes that a body may have.
    let maximumBody: Int

    func cases(_ operation: DescribedOperation) -> [AbuseCase] {
        callers(operation) + verbs(operation) + ids(operation) + queries(operation) + headers(operation)
            + bodies(operation) + values(operation)
    }

    /// Who gets furthest with it.
    private func caller(_ operation: DescribedOperation) -> AbuseCaller {
        operation.isManagement ? administrator : tenant
    }

    private func make(
        _ operation: DescribedOperation, _ what: String, _ bytes: [UInt8], _ statuses: Set<Int>, key: String? = nil
    ) -> AbuseCase {
        AbuseCase(what: "\(operation.name), \(what)", bytes: bytes, statuses: statuses, key: key)
    }

    /// A path to nothing.
    private func nowhere(_ operation: DescribedOperation) -> String { operation.filled(fallback: Self.nobody) }

    /// The path with the caller's own objects, as far as there are some.
    private func here(_ operation: DescribedOperation) -> String {
        operation.filled(Self.values(operation, own), fallback: "nobody")
    }

    private static func values(_ operation: DescribedOperation, _ ids: [String: String]) -> [String: String] {
        var values: [String: String] = [:]
        for name in operation.parameters {
            let before = String(operation.path.components(separatedBy: "/{\(name)}")[0])
            values[name] = ids[before] ?? ids[before.replacingOccurrences(of: "/mgmt", with: "")]
        }
        return values
    }

    // MARK: Callers, verbs, ids

    private func callers(_ operation: DescribedOperation) -> [AbuseCase] {
        let path = nowhere(operation)
        let body = operation.body.map { schemas.fitting($0).serialized }
        let stranger = AbuseCaller(project: tenant.project, token: "")
        let liar = AbuseCaller(project: tenant.project, token: "no-such-token")
        let trespasser = AbuseCaller(project: administrator.project, token: tenant.token)
        var cases = [
            make(operation, "no token", stranger.request(operation.method, path, body: body), [401], key: "error"),
            make(operation, "a wrong token", liar.request(operation.method, path, body: body), [401], key: "error"),
            make(operation, "another's project", trespasser.request(operation.method, path, body: body), [403]),
        ]
        if operation.isManagement, !Self.inherited.contains(operation.name) {
            // A project's own quotas are nobody's secret. Source: REST contract §14.
            let statuses: Set<Int> = operation.name == "GET /mgmt/quotas/{project}" ? [403] : [401]
            cases.append(
                make(operation, "no administrator", tenant.request(operation.method, path, body: body), statuses))
        }
        var xml = make(
            operation, "a wrong token, XML", liar.request(operation.method, path, "Accept: application/xml\r\n"), [401],
            key: "error")
        xml.isXML = true
        let ids = Self.values(operation, theirs)
        if !operation.isManagement, !ids.isEmpty {
            let there = operation.filled(ids, fallback: "nobody")
            cases.append(
                make(
                    operation, "another's object", tenant.request(operation.method, there, body: body),
                    // What the body lacks, or nobody can do, may be told first: of no object at all.
                    [400, 403, 404, 501]))
        }
        return cases + [xml]
    }

    private func verbs(_ operation: DescribedOperation) -> [AbuseCase] {
        let siblings = all.filter { $0.path == operation.path }
        // Once a path.
        guard operation.method == siblings.first?.method else { return [] }
        let known = Set(siblings.map(\.method))
        return Self.verbs.filter { !known.contains($0) }.map { verb in
            let isOthers = all.contains { $0.method == verb && $0.overlaps(operation) }
            var item = make(
                operation, "the verb \(verb)", caller(operation).request(verb, nowhere(operation)),
                Self.anyVerb.contains(operation.path)
                    ? AbuseCase.harmless : isOthers ? AbuseCase.refused : [404])
            item.isHead = verb == "HEAD"
            return item
        }
    }

    /// Wrong ids in place of each parameter. What is asked with them carries no body, so that nothing can come of it.
    private func ids(_ operation: DescribedOperation) -> [AbuseCase] {
        let statuses = operation.method == "GET" ? AbuseCase.harmless : AbuseCase.refused
        // A body that is optional may be left out, and what needs none is done: to nothing that there is.
        let wrong: [(String, Set<Int>)] = [
            (Self.nobody, statuses), (String(repeating: "a", count: 4096), statuses), ("..%2f..", statuses),
            ("%2e%2e", statuses), ("..%2f..%2fetc%2fpasswd", statuses), ("%00", [404]), ("a%00", [404]), ("%zz", [404]),
            ("%", [404]), ("%f", [404]), ("%ff%fe", [404]), ("%c0%ae%c0%ae", [404]), ("%0d%0aX-Evil:%201", statuses),
            ("%27%20OR%201%3D1%20--", statuses), ("%F0%9F%98%80", statuses), ("%3Cx%3E%26", statuses),
            ("..%5c..", statuses), ("%25252e", statuses),
        ]
        var cases: [AbuseCase] = []
        for name in operation.parameters {
            var values = Self.values(operation, own)
            for (id, statuses) in wrong {
                values[name] = id
                let path = operation.filled(values, fallback: Self.nobody)
                cases.append(
                    make(
                        operation, "\(name) '\(id.prefix(30))'", caller(operation).request(operation.method, path),
                        statuses))
            }
        }
        if !operation.parameters.isEmpty {
            var xml = make(
                operation, "nothing, XML",
                caller(operation).request(operation.method, nowhere(operation), "Accept: application/xml\r\n"), statuses
            )
            xml.isXML = true
            cases.append(xml)
        }
        return cases
    }

    private func queries(_ operation: DescribedOperation) -> [AbuseCase] {
        guard operation.method == "GET" else { return [] }
        var cases: [AbuseCase] = []
        let path = here(operation)
        for name in operation.query + ["no_such_parameter"] {
            for value in [
                "", "0", "-1", "x", "99999999999999999999", "%00", "%ff", "%zz", "%0d%0aa", "..%2f..", "1&1=1",
            ] {
                cases.append(
                    make(
                        operation, "\(name)=\(value)",
                        caller(operation).request("GET", "\(path)?\(name)=\(value)"), AbuseCase.harmless))
            }
        }
        return cases
    }

    private func headers(_ operation: DescribedOperation) -> [AbuseCase] {
        guard operation.method == "POST" else { return [] }
        return [String(repeating: "k", count: 256), "", "\u{e9}", "a\tb"].map { key in
            make(
                operation, "Idempotency-Key '\(key.prefix(20))'",
                caller(operation).request("POST", nowhere(operation), "Idempotency-Key: \(key)\r\n"), [400])
        }
    }

    // MARK: Bodies

    private func bodies(_ operation: DescribedOperation) -> [AbuseCase] {
        guard let schema = operation.body else { return [] }
        let (caller, path, method) = (caller(operation), here(operation), operation.method)
        func send(_ what: String, _ body: [UInt8], _ statuses: Set<Int>, type: String? = "application/json")
            -> AbuseCase
        {
            make(operation, what, caller.request(method, path, type: type, body: body), statuses)
        }
        // What there is not, or the policy forbids, may be told before a body is read.
        let refused: Set<Int> = [400, 403, 404, 501]
        let deep = 10_000
        let fitting = schemas.fitting(schema).serialized
        var cases = [
            send("half a document", Array(#"{"a":"#.utf8), refused),
            send("two documents", Array("{} {}".utf8), refused),
            send("no JSON", Array("a=b".utf8), refused),
            send("twice the same key", Array(#"{"a":1,"a":2}"#.utf8), refused),
            send("brackets", Array(repeating: UInt8(ascii: "["), count: deep), refused),
            send("braces", Array(String(repeating: #"{"a":"#, count: deep).utf8), refused),
            send("invalid UTF-8", Array(#"{"a":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8), refused),
            send("a lone surrogate", Array(#"{"a":"\udfff"}"#.utf8), refused),
            send("U+0000", Array(#"{"a":"\u0000"}"#.utf8), refused),
            send("a number out of range", Array(#"{"a":1e999}"#.utf8), refused),
            send("NaN", Array(#"{"a":NaN}"#.utf8), refused),
            send("more than a body may have", filling(maximumBody + 1), refused.union([413])),
            send("text/plain", fitting, refused.union([415]), type: "text/plain"),
            send("form", fitting, refused.union([415]), type: "application/x-www-form-urlencoded"),
            send("XML that is JSON", fitting, refused, type: "application/xml"),
            send("XML entities", Array(Self.entities.utf8), refused, type: "application/xml"),
            send("XML, deep", Array(String(repeating: "<a>", count: deep).utf8), refused, type: "application/xml"),
            send(
                "XML, no UTF-8", Array("<a>".utf8) + [0xFF] + Array("</a>".utf8), refused, type: "application/xml"),
        ]
        if operation.isBodyRequired {
            cases.append(send("1 MiB", filling(maximumBody), refused))
            cases.append(send("an empty body", [], refused))
            cases.append(send("no type", fitting, refused, type: nil))
            cases.append(make(operation, "no body", caller.request(method, path), refused))
        }
        let chunk = "\(String(maximumBody + 1, radix: 16))\r\n"
        cases.append(
            make(
                operation, "more in one chunk",
                caller.request(
                    method, path, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
                    + Array(chunk.utf8) + filling(maximumBody + 1) + Array("\r\n0\r\n\r\n".utf8), refused.union([413])))
        return cases
    }

    private static let entities =
        #"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;"><!ENTITY d SYSTEM "file:///etc">]>"#
        + "<a>&c;&d;</a>"

    /// A JSON document of so many bytes with a member that no body has.
    private func filling(_ count: Int) -> [UInt8] {
        let (start, end) = (Array(#"{"x":""#.utf8), Array(#""}"#.utf8))
        return start + Array(repeating: UInt8(ascii: "a"), count: count - start.count - end.count) + end
    }

    private func values(_ operation: DescribedOperation) -> [AbuseCase] {
        guard let schema = operation.body else { return [] }
        return schemas.unfitting(schema).map { value in
            make(
                operation, "the body \(value.text.prefix(200))",
                caller(operation).request(operation.method, here(operation), body: value.serialized), AbuseCase.refused)
        }
    }
}
