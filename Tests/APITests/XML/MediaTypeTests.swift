// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import API

@Suite("Media types")
struct MediaTypeTests {
    @Test(
        "Accept chooses the form; JSON where both are as good",
        arguments: [
            (nil, MediaType.json), ("", .json), ("*/*", .json), ("text/*", .json), ("application/*", .json),
            ("application/json", .json), ("application/vnd.openstack.trove+json", .json),
            ("application/xml", .xml), ("application/vnd.openstack.trove+xml", .xml), ("Application/XML", .xml),
            ("application/vnd.openstack.trove+xml;version=1.0", .xml), (" application/xml ; charset=utf-8", .xml),
            ("text/xml", .json), ("application/xml, application/json", .json),
            ("application/json;q=0.5, application/xml", .xml), ("application/xml;q=0.5, application/json", .json),
            ("application/xml;q=0.5", .xml), ("application/xml;q=0", .json), ("*/*, application/xml", .xml),
            ("*/*;q=0.9, application/xml;q=0.1", .json), ("application/json;q=0, */*", .xml),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .xml),
            ("application/xml;q=nonsense", .json), ("application/xml;q=-1", .json), ("application/xml;q=7", .xml),
            (";;,,;q=", .json),
        ] as [(String?, MediaType)]
    )
    func accept(_ value: String?, _ type: MediaType) {
        let headers = value.map { [("accept", $0)] } ?? []
        #expect(MediaType(answering: APIRequest(method: "GET", target: "/", headers: headers, host: "h")) == type)
    }

    @Test("several Accept lines are one")
    func lines() {
        let headers = [("accept", "application/json;q=0.2"), ("x", "y"), ("accept", "application/xml;q=0.4")]
        #expect(MediaType(answering: APIRequest(method: "GET", target: "/", headers: headers, host: "h")) == .xml)
    }

    @Test(
        "a path's suffix wins; an escaped one, and one behind the question mark, are none",
        arguments: [
            ("/a.xml", "application/json", MediaType.xml), ("/a.json", "application/xml", .json),
            ("/a%2exml", "application/json", .json), ("/a?b=.xml", "application/json", .json),
            ("/a.xml?b=c.json", "application/json", .xml), ("/axml", "*/*", .json),
        ]
    )
    func suffix(_ target: String, _ accept: String, _ type: MediaType) {
        let request = APIRequest(method: "GET", target: target, headers: [("accept", accept)], host: "h")
        #expect(MediaType(answering: request) == type)
    }

    @Test(
        "Content-Type is one of two",
        arguments: [
            ("application/json", MediaType.json), ("Application/JSON; charset=utf-8", .json), ("application/xml", .xml),
            (" application/xml ;charset=x", .xml), ("text/xml", nil), ("application/xmlx", nil), ("", nil),
            ("application/vnd.openstack.trove+xml", nil), ("text/plain", nil),
        ] as [(String, MediaType?)]
    )
    func contentType(_ text: String, _ type: MediaType?) {
        #expect(MediaType(contentType: text) == type)
    }
}
