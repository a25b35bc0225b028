// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@testable import API

/// (e), (f) and (g) of the XML representation's §7.
@Suite("XML faults")
struct XMLFaultTests {
    private let alice = TestIdentity.projects["alice"] ?? ""

    /// Expects a fault's plain form.
    private func expect(
        _ response: APIResponse, _ status: Int, _ key: String, _ message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(response.contentType == "application/xml", sourceLocation: sourceLocation)
        let fault = try ParsedXML(response.body)
        #expect(fault.name == key, sourceLocation: sourceLocation)
        #expect(fault.attributes == ["code": String(status)], sourceLocation: sourceLocation)
        #expect(fault.children.map(\.name) == ["message"], sourceLocation: sourceLocation)
        #expect(fault["message"]?.text.contains(message) == true, sourceLocation: sourceLocation)
    }

    private let xml = [(name: "accept", value: "application/xml")]

    @Test("every status has its element, its code as an attribute and a message")
    func statuses() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning { $0.task = .building }
            try expect(await api.getXML("/instances/<&"), 404, "itemNotFound", "Resource <& cannot be found.")
            try expect(await api.getXML("/flavors/%3C%26"), 404, "itemNotFound", "Resource <& cannot be found.")
            try expect(await api.getXML("/instances?limit=x"), 400, "badRequest", "'limit'")
            try expect(await api.send("GET", "/nothing.xml"), 404, "itemNotFound", "could not be found")
            try expect(
                await api.sendXML("POST", "/instances", "<instance/>", accept: "application/xml"), 400, "badRequest",
                "Validation error: instance 'name' is a required property")
            try expect(
                await api.sendXML("POST", "/instances/\(id)/action", "<restart/>", accept: "application/xml"), 422,
                "unprocessableEntity", "")
            try expect(
                await api.sendText(
                    "POST", "/instances", text: "x", headers: xml + [("content-type", "text/plain")]), 415,
                "badMediaType",
                "application/xml")
            try expect(
                await api.sendXML(
                    "POST", "/instances", String(repeating: " ", count: 1 << 20) + "<a/>", accept: "application/xml"),
                413, "overLimit", "larger than")
            try expect(
                await api.raw("GET", "/v1.0/\(alice)/flavors", headers: xml + [("x-auth-token", "bob")]), 403,
                "forbidden",
                "cannot access this resource")
            try expect(
                await api.raw("GET", "/", headers: [("accept", "application/vnd.openstack.trove+xml;version=3.0")]),
                406,
                "notAcceptable", "version not supported")
            try expect(
                await api.sendXML(
                    "POST", "/instances",
                    "<instance name='n' flavorRef='1'><volume size='1'/><nics><nic net-id='\(APIFixture.versionID)'/></nics></instance>",
                    accept: "application/xml"), 501, "notImplemented", "not supported")
            try expect(
                await api.with(store: FailingStore(.corrupt)).getXML("/instances"), 500, "instanceFault",
                "Internal Server Error")
        }
    }

    @Test("no token: the code is an attribute, the title a child")
    func unauthorized() async throws {
        try await withAPI { api in
            let response = await api.raw("GET", "/v1.0/\(alice)/instances", headers: xml)
            #expect(response.status == 401)
            #expect(response.header("www-authenticate") != nil)
            let fault = try ParsedXML(response.body)
            #expect(fault.name == "error")
            #expect(fault.attributes == ["code": "401"])
            #expect(fault["title"]?.text == "Unauthorized")
            #expect(fault["message"]?.text == "The request you have made requires authentication.")
        }
    }

    @Test("a rate limit's fault is compact and has the namespace")
    func rate() async throws {
        var configuration = APIFixture.configuration
        configuration.rateLimits = ["GET": 1]
        try await withAPI(configuration) { api in
            #expect(await api.getXML("/flavors").status == 200)
            let response = await api.getXML("/flavors")
            #expect(response.status == 413)
            #expect(response.header("retry-after") == "60")
            #expect(
                String(decoding: response.body, as: UTF8.self)
                    == #"<?xml version="1.0" encoding="UTF-8"?><overLimit xmlns="\#(APIFixture.namespace)" code="413""#
                    + " retryAfter=\"60\"><message>This request was rate-limited.</message>"
                    + "<details>Only 1 GET request(s) can be made to * every minute.</details></overLimit>")
        }
    }

    // MARK: - Requests that nobody should send

    private static let routes = [
        ("POST", "/instances"), ("PUT", "/instances/i"), ("PATCH", "/instances/i"), ("POST", "/instances/i/action"),
        ("POST", "/backups"), ("POST", "/instances/i/databases"), ("PUT", "/instances/i/users/u"),
    ]

    private func everyRoute(_ body: (APIFixture, String, String) async throws -> Void) async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("POST", "/instances/{id}/databases"), ("PUT", "/instances/{id}/users/{name}")])
            for (method, path) in Self.routes { try await body(api, method, path) }
        }
    }

    @Test(
        "document types, bombs and files from outside are refused by every route that reads a body",
        arguments: [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;'>]><a>&d;</a>",
            "<!DOCTYPE instance [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><instance name='&x;'/>",
            "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/x'>%x;]><a/>",
            "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'x'><a/>",
        ])
    func documentTypes(_ body: String) async throws {
        try await everyRoute { api, method, path in
            let response = await api.sendXML(method, path, body)
            #expect(response.status == 400)
            #expect(response.fault.key == "badRequest")
            #expect(response.fault.message.hasPrefix("Malformed request body: a document type is not allowed"))
        }
    }

    @Test(
        "what is not well-formed is 400 at every route that reads a body",
        arguments: [
            "<a>&b;</a>", "<a>", "{\"instance\": {}}", "<a/><b/>", "<a b='1' b='2'/>", "<a>\u{0}</a>", "<a>&#0;</a>",
            "<a>x<b/></a>", " ", String(repeating: "<a>", count: 100_000),
            String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65),
            "<?xml version='1.0' encoding='UTF-7'?><a/>",
        ])
    func malformed(_ body: String) async throws {
        try await everyRoute { api, method, path in
            let response = await api.sendXML(method, path, body)
            #expect(response.status == 400)
            #expect(response.fault.message.hasPrefix("Malformed request body: "))
        }
    }

    @Test(
        "other types are 415 at every route that reads a body",
        arguments: [
            "text/xml", "application/xhtml+xml", "application/vnd.openstack.trove+xml", "text/plain", "xml", "",
        ])
    func types(_ type: String) async throws {
        try await everyRoute { api, method, path in
            let response = await api.sendText(method, path, text: "<a/>", headers: [("content-type", type)])
            #expect(response.status == 415)
            #expect(response.fault.key == "badMediaType")
        }
    }

    @Test("bytes that are no text, and much of anything, are answered and never with 500")
    func hostile() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("POST", "/instances/{id}/databases")])
            let bodies: [[UInt8]] = [
                [0xFF, 0xFE, 0x3C, 0x00, 0x61, 0x00, 0x2F, 0x00, 0x3E, 0x00], [0x3C, 0x61, 0x3E, 0xC3, 0x28],
                Array("<instance name='".utf8) + [0xED, 0xA0, 0x80] + Array("'/>".utf8),
                Array("<instance name='\(String(repeating: "x", count: 500_000))'/>".utf8),
                Array("<instance \((0..<20_000).map { "a\($0)=''" }.joined(separator: " "))/>".utf8),
                Array("<databases>\(String(repeating: "<database/>", count: 20_000))</databases>".utf8),
                Array("<\(String(repeating: "n", count: 100_000))/>".utf8), Array("<instance>\u{FFFD}</instance>".utf8),
                Array("<users><user name='u'>text</user></users>".utf8), Array("<restart>x</restart>".utf8),
                Array("<instance name='n' flavorRef='1'><volume>2</volume></instance>".utf8),
                Array("<instance name='n' flavorRef='1'><volume size='2'><size/></volume></instance>".utf8),
                Array(
                    "<instance name='n' flavorRef='99999999999999999999'><volume size='99999999999999999999'/></instance>"
                        .utf8),
                Array("<backup name='b' instance='\(APIFixture.versionID)' incremental='x'/>".utf8),
                Array("<é/>".utf8), Array("<resize/>".utf8), Array("<reset_status force_delete='maybe'/>".utf8),
            ]
            for body in bodies {
                for path in ["/instances", "/instances/i/action", "/backups", "/instances/i/databases"] {
                    for accept in ["application/xml", "application/json"] {
                        let response = await api.responder.respond(
                            to: APIRequest(
                                method: "POST", target: "/v1.0/\(alice)\(path)",
                                headers: [
                                    ("x-auth-token", "alice"), ("content-type", "application/xml"), ("accept", accept),
                                ], host: "h", body: .bytes(body)))
                        #expect(response.status < 500)
                        if accept == "application/xml", response.body.count < 10_000 {
                            _ = try ParsedXML(response.body)
                        }
                    }
                }
            }
        }
    }
}
