// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import PluginHost
import StateStore
import TestSupport
import Testing

@testable import API

/// Rows of the XML representation's §5, and (a), (b) and (d) of its §7.
@Suite("XML answers")
struct XMLAnswerTests {
    /// Every core route that answers a document, for an administrator's instance and backup.
    private static let paths = [
        "/instances", "/instances/detail", "/instances/{i}", "/instances/{i}/actions", "/instances/{i}/backups",
        "/backups",
        "/backups/{b}", "/datastores", "/datastores/mariadb", "/datastores/mariadb/versions",
        "/datastores/mariadb/versions/11.4", "/datastores/versions/" + APIFixture.versionID, "/flavors", "/flavors/big",
        "/limits", "/extensions", "/extensions/org.example.routes", "/mgmt/plugins", "/mgmt/plugins/org.example.engine",
    ]

    private func withRows(_ body: (APIFixture, (String) -> String) async throws -> Void) async throws {
        var configuration = APIFixture.configuration
        configuration.rateLimits = ["POST": 200]
        try await withAPI(configuration) { api in
            let instance = try await api.insertRunning(of: "admin", name: "<db> & \"co\"") {
                $0.volumeUsedBytes = 171_798_692
            }
            let backup = try await api.insertBackup(of: "admin", instance: instance)
            try await body(api) { $0.replacing("{i}", with: instance).replacing("{b}", with: backup) }
        }
    }

    @Test(
        "every document has the same values in both forms, its namespace, and the same answer by a suffix",
        arguments: paths)
    func sameValues(_ pattern: String) async throws {
        try await withRows { api, path in
            let json = await api.send("GET", path(pattern), as: "admin")
            let xml = await api.getXML(path(pattern), as: "admin")
            #expect(json.status == 200)
            #expect(xml.status == 200)
            #expect(json.contentType == "application/json")
            #expect(xml.contentType == "application/xml")
            let parsed = try ParsedXML(xml.body)
            #expect(parsed.leaves == json.json.leaves)
            #expect(parsed.namespace == APIFixture.namespace)
            #expect(parsed.name == json.json.objectValue?.keys.first || pattern == "/mgmt/plugins")
            let suffixed = await api.send(
                "GET", path(pattern) + ".xml?x=.json", as: "admin", headers: [("accept", "application/json")])
            #expect(suffixed.contentType == "application/xml")
            #expect(suffixed.body == xml.body)
        }
    }

    @Test("an instance: attributes, and children in the order of the members")
    func instance() async throws {
        try await withRows { api, path in
            let id = path("{i}")
            let parsed = try ParsedXML(await api.getXML("/instances/\(id)", as: "admin").body)
            var attributes = parsed.attributes
            #expect(attributes.removeValue(forKey: "tenant_id") == TestIdentity.projects["admin"])
            #expect(
                attributes == [
                    "xmlns": APIFixture.namespace, "id": id, "name": "<db> & \"co\"", "status": "ACTIVE",
                    "created": "2020-09-13 12:26:40", "updated": "2020-09-13 12:26:40", "server_id": "server-\(id)",
                ])
            #expect(
                parsed.children.map(\.name) == [
                    "operating_status", "links", "flavor", "datastore", "region", "access", "ip", "addresses", "volume",
                    "service_status_updated", "volume_id", "encrypted_rpc_messaging",
                ])
            #expect(parsed["links"]?.children.map(\.name) == ["link", "link"])
            #expect(parsed["links"]?.children.map { $0.attributes["rel"] } == ["self", "bookmark"])
            #expect(parsed["flavor"]?.attributes == ["id": "1"])
            #expect(parsed["datastore"]?["type"]?.text == "mariadb")
            #expect(parsed["volume"]?.attributes == ["size": "2", "used": "0.16"])
            #expect(parsed["ip"]?.children.map(\.text) == ["127.1.2.3"])
            #expect(parsed["addresses"]?.children.map(\.name) == ["addresse"])
        }
    }

    @Test("a page's link to the next is the root's last child, and goes on in the same form")
    func pages() async throws {
        try await withAPI { api in
            for _ in 0..<3 { try await api.insertRunning() }
            for (path, suffix) in [("/instances", ""), ("/instances.xml", ".xml"), ("/instances/detail", "/detail")] {
                let first = try ParsedXML(await api.getXML(path + "?limit=2&a=%26").body)
                #expect(first.name == "instances")
                #expect(first.children.map(\.name) == ["instance", "instance", "links"])
                let link = try #require(first["links"]?.children.first)
                #expect(link.attributes["rel"] == "next")
                let href = try #require(link.attributes["href"])
                #expect(href.contains("/instances\(suffix)?limit=2&a=%26&marker="))
                let target = String(href.dropFirst("http://127.0.0.1:8779".count))
                let second = await api.raw(
                    "GET", target, headers: [("x-auth-token", "alice"), ("accept", "application/xml")])
                #expect(try ParsedXML(second.body).children.map(\.name) == ["instance"])
            }
        }
    }

    @Test("documents of plugins: databases, users, root")
    func plugins() async throws {
        try await withAPI { api in
            api.plugins.setRoutes([("GET", "/instances/{id}/thing"), ("POST", "/instances/{id}/thing")])
            let rows: [(JSONValue, String)] = [
                (["rootEnabled": true], "<rootEnabled{}>True</rootEnabled>"),
                (["user": ["name": "root", "password": "<x>"]], "<user{} name=\"root\" password=\"&lt;x&gt;\"/>"),
                (
                    ["databases": [["name": "a"], ["name": "b"]]],
                    "<databases{}><database name=\"a\"/><database name=\"b\"/></databases>"
                ),
                (
                    [
                        "users": [["name": "u", "host": "%", "databases": []]],
                        "links": [["rel": "next", "href": "h"]],
                        "users_links": [["rel": "next", "href": "h"]],
                    ],
                    "<users{}><user host=\"%\" name=\"u\"><databases/></user>"
                        + "<links><link href=\"h\" rel=\"next\"/></links></users>"
                ),
                (
                    ["user": ["name": "u", "host": "%", "databases": [["name": "d"]]]],
                    "<user{} host=\"%\" name=\"u\"><databases><database name=\"d\"/></databases></user>"
                ),
                (
                    ["instance": ["configuration": ["basedir": "/usr", "port": 1]]],
                    "<instance{}><configuration><basedir>/usr</basedir><port>1</port></configuration></instance>"
                ),
                (
                    ["quotas": ["instances": 5, "volumes": 40, "backups": 50]],
                    "<quotas{} backups=\"50\" instances=\"5\" volumes=\"40\"/>"
                ),
                (
                    ["configuration-parameters": [["name": "p", "restart_required": false]]],
                    "<configuration-parameters{}><configuration-parameter><name>p</name>"
                        + "<restart_required>False</restart_required></configuration-parameter></configuration-parameters>"
                ),
            ]
            for (json, xml) in rows {
                api.plugins.onRoute { _, _, _, _ throws(PluginError) in ["status": 200, "body": json] }
                for response in [
                    await api.getXML("/instances/i/thing"), await api.send("GET", "/instances/i/thing.xml"),
                ] {
                    #expect(response.contentType == "application/xml")
                    let declaration = #"<?xml version="1.0" encoding="UTF-8"?>"#
                    #expect(
                        response.flatXML
                            == declaration + xml.replacing("{}", with: " xmlns=\"\(APIFixture.namespace)\""))
                }
            }
        }
    }

    @Test("flavors, datastores and versions have the historical forms")
    func catalogue() async throws {
        try await withAPI { api in
            let flavors = try ParsedXML(await api.getXML("/flavors").body)
            #expect(flavors.name == "flavors")
            let flavor = try ParsedXML(await api.getXML("/flavors/1").body)
            #expect(flavor.name == "flavor")
            #expect(Set(flavor.attributes.keys) == ["xmlns", "id", "name", "ram"])
            #expect(flavor["vcpus"]?.text == "1")
            let datastore = try ParsedXML(await api.getXML("/datastores/mariadb").body)
            #expect(datastore.attributes == ["xmlns": APIFixture.namespace])
            #expect(datastore["default_version"]?.text == APIFixture.versionID)
            let versions = try ParsedXML(await api.getXML("/datastores/mariadb/versions").body)
            #expect(versions.name == "versions")
            #expect(versions.children.first?.name == "version")
            #expect(versions.children.first?.attributes == [:])
            let limits = try ParsedXML(await api.getXML("/limits").body)
            #expect(limits.children.first?["verb"]?.text == "ABSOLUTE")
            #expect(limits.children.first?["max_instances"]?.text == "10")
        }
    }

    @Test("the versions of the API, by Accept and by suffix")
    func versions() async throws {
        try await withAPI { api in
            let entry =
                "<version{} id=\"v1.0\" status=\"CURRENT\" updated=\"2012-08-01T00:00:00Z\"><links>"
                + "<link rel=\"self\" href=\"http://127.0.0.1:8779/v1.0/\"/></links></version>"
            let namespace = " xmlns=\"\(APIFixture.namespace)\""
            let one = entry.replacing("{}", with: namespace)
            let all = "<versions\(namespace)>" + entry.replacing("{}", with: "") + "</versions>"
            let rows = [
                ("/", "application/xml", all), ("/.xml", "application/json", all), ("/v1.0", "application/xml", one),
                ("/v1.0/", "application/vnd.openstack.trove+xml", one), ("/v1.0.xml", "*/*", one),
                ("/v1.0/.xml", "", one),
            ]
            for (path, accept, xml) in rows {
                let response = await api.raw("GET", path, headers: [("accept", accept)])
                #expect(response.status == 200)
                #expect(response.contentType == "application/xml")
                #expect(response.flatXML == #"<?xml version="1.0" encoding="UTF-8"?>"# + xml)
            }
        }
    }

    @Test("an empty answer is empty, and what is not the API's own stays in its form")
    func others() async throws {
        try await withAPI { api in
            let id = try await api.insertRunning()
            let restart = await api.sendXML("POST", "/instances/\(id)/action", "<restart/>", accept: "application/xml")
            #expect(restart.status == 202)
            #expect(restart.body.isEmpty)
            #expect(restart.contentType == "application/xml")
            let headers = [(name: "accept", value: "application/xml")]
            #expect(await api.raw("GET", "/healthcheck", headers: headers).contentType == "text/plain")
            #expect(await api.raw("POST", "/identity/v3/x", headers: headers, text: "{}").json["path"] == "/v3/x")
            #expect(await api.raw("GET", "/v1.0/openapi.json", headers: headers).json["openapi"] == "3.1.0")
        }
    }

    @Test("names keep their dots; an escaped suffix belongs to the name; on core routes .json always does")
    func names() async throws {
        try await withAPI { api in
            for (path, id) in [("1%2exml", "1.xml"), ("a.b.xml", "a.b"), ("1.json", "1.json"), ("1.xmlx", "1.xmlx")] {
                let response = await api.send("GET", "/flavors/\(path)")
                #expect(String(decoding: response.body, as: UTF8.self).contains("Resource \(id) cannot be found."))
                #expect(response.contentType == (path.hasSuffix(".xml") ? "application/xml" : "application/json"))
            }
            #expect(await api.send("GET", "/datastores/mariadb.json").json["datastore"]?["name"] == "mariadb")
            #expect(await api.send("GET", "/flavors/.xml").status == 404)
            #expect(await api.send("GET", "/.xml").status == 404)
            api.plugins.setRoutes([("GET", "/instances/{id}/users/{name}")])
            let names = [
                ("f@10.0.0.1", "f@10.0.0.1"), ("f@10.0.0.1.xml", "f@10.0.0.1"), ("x%2exml", "x.xml"),
                ("x.xml.json", "x.xml"), ("x.json.xml", "x.json"), ("x%2Exml.xml", "x.xml"),
            ]
            for (sent, name) in names {
                let response = await api.send("GET", "/instances/i/users/\(sent)")
                let found =
                    sent.hasSuffix(".xml")
                    ? try ParsedXML(response.body)["parameters"]?["name"]?.text
                    : response.json["parameters"]?["name"]?.stringValue
                #expect(found == name)
            }
        }
    }
}
