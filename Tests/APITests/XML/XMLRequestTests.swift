// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import StateStore
import TestSupport
import Testing

@testable import API
@testable import PluginHost

/// (c) of the XML representation's §7: an XML request has the result of the JSON one.
@Suite("XML requests")
struct XMLRequestTests {
    /// What a request left in the journal, without the ids that it made.
    private func journal(_ api: APIFixture) async throws -> [JSONValue] {
        let rows = try await api.store.read { try $0.journal.live(resourceID: nil) }
        return rows.map { row in
            var input = row.input.objectValue ?? [:]
            input["instance_id"] = nil
            input["backup_id"] = nil
            return .object(input.merging(["flow": .string(row.flow)]) { first, _ in first })
        }
    }

    /// Sends both forms to APIs of the same content and expects the same status, document and journal.
    private func compare(
        _ method: String, _ path: String, _ xml: String, _ json: JSONValue, _ status: Int, as token: String = "alice",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let id = "f0000000-0000-4000-8000-000000000001"
        var answers: [JSONValue] = []
        var journals: [[JSONValue]] = []
        for isXML in [true, false] {
            try await withAPI { api in
                try await api.insertRunning(id)
                let path = path.replacing("{i}", with: id)
                let response =
                    isXML
                    ? await api.sendXML(method, path, as: token, xml.replacing("{i}", with: id))
                    : await api.sendText(method, path, as: token, text: json.text.replacing("{i}", with: id))
                #expect(response.status == status, sourceLocation: sourceLocation)
                #expect(response.contentType == "application/json", sourceLocation: sourceLocation)
                var members = response.json.objectValue?.first?.value.objectValue ?? [:]
                for name in ["id", "links"] { members[name] = nil }
                answers.append(.object(members))
                journals.append(try await journal(api))
                let instance = try await api.store.read { try $0.instances.find(id) }
                answers.append([
                    "name": .optional(instance?.name), "task": .optional(instance.map { "\($0.task)" }),
                    "service": .optional(instance.map { "\($0.service)" }),
                ])
            }
        }
        #expect(answers[0] == answers[2], sourceLocation: sourceLocation)
        #expect(answers[1] == answers[3], sourceLocation: sourceLocation)
        #expect(journals[0] == journals[1], sourceLocation: sourceLocation)
    }

    @Test("create an instance, with databases and users, from a backup, and with an href for its flavor")
    func create() async throws {
        try await compare(
            "POST", "/instances",
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <instance xmlns="\(APIFixture.namespace)" name="n" flavorRef="1">
                <volume size="2"/>
                <databases>
                    <database name="d" character_set="utf8" collate="utf8_general_ci"/>
                    <database name="e"/>
                </databases>
                <users>
                    <user name="u" password="p"><databases><database name="d"/></databases></user>
                </users>
            </instance>
            """,
            [
                "instance": [
                    "name": "n", "flavorRef": "1", "volume": ["size": "2"],
                    "databases": [
                        ["name": "d", "character_set": "utf8", "collate": "utf8_general_ci"], ["name": "e"],
                    ],
                    "users": [["name": "u", "password": "p", "databases": [["name": "d"]]]],
                ]
            ], 200)
        try await compare(
            "POST", "/instances",
            "<instance><name>n</name><flavorRef>http://h/v1.0/T/flavors/1</flavorRef><volume><size>2</size></volume>"
                + "<databases/><users/><nics/><modules/><configuration/><replica_count>1</replica_count>"
                + "<access is_public='false'><allowed_cidrs/></access><datastore type='mariadb' version='11.4'/></instance>",
            [
                "instance": [
                    "name": "n", "flavorRef": "http://h/v1.0/T/flavors/1", "volume": ["size": 2], "databases": [],
                    "users": [], "nics": [], "modules": [], "configuration": .null, "replica_count": 1,
                    "access": ["is_public": false, "allowed_cidrs": []],
                    "datastore": ["type": "mariadb", "version": "11.4"],
                ]
            ], 200)
    }

    @Test("what is refused is refused with the same sentence")
    func refusals() async throws {
        let network = APIFixture.versionID
        try await compare(
            "POST", "/instances",
            "<instance name='n' flavorRef='1'><volume size='2'/><nics><nic net-id='\(network)'/></nics></instance>",
            [
                "instance": [
                    "name": "n", "flavorRef": "1", "volume": ["size": 2], "nics": [["net-id": .string(network)]],
                ]
            ], 501)
        try await compare(
            "POST", "/instances",
            "<instance name='n' flavorRef='1'><volume size='2'/>"
                + "<access is_public='true'><allowed_cidrs><item>10.0.0.0/8</item></allowed_cidrs></access></instance>",
            [
                "instance": [
                    "name": "n", "flavorRef": "1", "volume": ["size": 2],
                    "access": ["is_public": true, "allowed_cidrs": ["10.0.0.0/8"]],
                ]
            ], 501)
        try await compare(
            "POST", "/instances", "<instance name='n' flavorRef='1'><volume size='0'/></instance>",
            ["instance": ["name": "n", "flavorRef": "1", "volume": ["size": "0"]]], 400)
        try await compare(
            "POST", "/instances", "<instance name='n' flavorRef='1' replica_count='9'><volume size='1'/></instance>",
            ["instance": ["name": "n", "flavorRef": "1", "replica_count": 9, "volume": ["size": 1]]], 400)
        try await compare("POST", "/instances", "<instnce/>", ["instnce": [:]], 400)
    }

    @Test("rename, and detach a configuration")
    func update() async throws {
        for verb in ["PUT", "PATCH"] {
            try await compare(verb, "/instances/{i}", "<instance name='m'/>", ["instance": ["name": "m"]], 202)
            try await compare(
                verb, "/instances/{i}", "<instance name='m'><configuration/></instance>",
                ["instance": ["name": "m", "configuration": .null]], 202)
            try await compare(
                verb, "/instances/{i}", "<instance><other>x</other></instance>", ["instance": ["other": "x"]], 400)
        }
        try await compare(
            "PUT", "/instances/{i}",
            "<instance><access is_public='true'><allowed_cidrs><cidr>10.0.0.0/8</cidr></allowed_cidrs></access></instance>",
            ["instance": ["access": ["is_public": true, "allowed_cidrs": ["10.0.0.0/8"]]]], 501)
    }

    @Test("actions: restart, resize, reset the status")
    func actions() async throws {
        let action = "/instances/{i}/action"
        try await compare("POST", action, "<restart xmlns='\(APIFixture.namespace)'/>", ["restart": [:]], 202)
        try await compare(
            "POST", action, "<resize><volume size='4'/></resize>", ["resize": ["volume": ["size": "4"]]], 202)
        try await compare(
            "POST", action, "<resize><flavorRef>https://host/v1.0/T/flavors/big</flavorRef></resize>",
            ["resize": ["flavorRef": "https://host/v1.0/T/flavors/big"]], 202)
        try await compare(
            "POST", action, "<resize><volume size='x'/></resize>", ["resize": ["volume": ["size": "x"]]], 400)
        try await compare("POST", action, "<promote_to_replica_source/>", ["promote_to_replica_source": [:]], 400)
        try await compare("POST", action, "<frob/>", ["frob": [:]], 400)
    }

    @Test("back up, with numbers that only may be numbers")
    func backups() async throws {
        try await compare(
            "POST", "/backups",
            "<backup name='b' instance='{i}' incremental='1'><description>first</description></backup>",
            ["backup": ["name": "b", "instance": "{i}", "incremental": 1, "description": "first"]], 202)
        try await compare(
            "POST", "/backups", "<backup name='b' instance='{i}' incremental='2'/>",
            ["backup": ["name": "b", "instance": "{i}", "incremental": 2]], 400)
        let (object, version) = ("file:///store/\(TestIdentity.projects["alice"] ?? "")/b", APIFixture.versionID)
        let source = "remote_location='\(object)' local_datastore_version_id='\(version)'"
        try await compare(
            "POST", "/backups", "<backup name='b'><restore_from \(source) size='0.5'/></backup>",
            [
                "backup": [
                    "name": "b",
                    "restore_from": [
                        "remote_location": .string(object), "local_datastore_version_id": .string(version), "size": 0.5,
                    ],
                ]
            ], 202)
    }

    // MARK: - Plugins

    @Test("routes of plugins get the document that JSON has: databases, users, grants, passwords, root")
    func pluginRoutes() async throws {
        let user = "<user name='u' password='p' host='%'><databases><database name='d'/></databases></user>"
        let rows: [(String, String, String, JSONValue)] = [
            (
                "POST", "databases", "<databases><database name='a'/><database name='b' collate='c'/></databases>",
                ["databases": [["name": "a"], ["name": "b", "collate": "c"]]]
            ),
            ("POST", "databases", "<databases/>", ["databases": []]),
            (
                "POST", "users", "<users>\(user)</users>",
                ["users": [["name": "u", "password": "p", "host": "%", "databases": [["name": "d"]]]]]
            ),
            (
                "PUT", "users",
                "<users>\n  <user name='u' password='&lt;p&gt;'/>\n  <user name='v' password='q'/>\n</users>",
                ["users": [["name": "u", "password": "<p>"], ["name": "v", "password": "q"]]]
            ),
            ("PUT", "users/u", "<user name='v' host='10.0.0.%'/>", ["user": ["name": "v", "host": "10.0.0.%"]]),
            (
                "PUT", "users/u/databases", "<databases><database name='a'/></databases>",
                ["databases": [["name": "a"]]]
            ),
            ("POST", "root", "<password>secret1</password>", ["password": "secret1"]),
        ]
        try await withAPI { api in
            let base = "/instances/{id}/"
            api.plugins.setRoutes([
                ("POST", base + "databases"), ("POST", base + "users"), ("PUT", base + "users"),
                ("PUT", base + "users/{name}"), ("PUT", base + "users/{name}/databases"), ("POST", base + "root"),
            ])
            for (method, path, xml, json) in rows {
                let response = await api.sendXML(method, "/instances/i/" + path, xml)
                #expect(response.json["body"] == json)
                #expect(await api.send(method, "/instances/i/" + path, body: json).json["body"] == json)
            }
            let empty = await api.sendXML("POST", "/instances/i/root", "")
            #expect(empty.json["body"] == .null)
        }
    }

    @Test("a plugin's schema says what texts mean, and is checked")
    func pluginSchema() async throws {
        try await withAPI { api in
            var route = PluginRoute(
                pluginID: TestPlugins.extensionID, index: 0, method: "POST", path: "/things",
                policy: "instance:extension:thing")
            route.requestSchema = [
                "type": "object", "required": ["thing"],
                "properties": [
                    "thing": [
                        "type": "object",
                        "properties": [
                            "count": ["type": "integer"], "tags": ["type": "array", "items": ["type": "string"]],
                            "isOn": ["type": "boolean"],
                        ],
                    ]
                ],
            ]
            api.plugins.mount([route])
            let xml = "<thing count='5' isOn='true'><tags><tag>1</tag><tag>x</tag></tags></thing>"
            let body = await api.sendXML("POST", "/things", xml).json["body"]
            #expect(body == ["thing": ["count": 5, "isOn": true, "tags": ["1", "x"]]])
            let refused = await api.sendXML("POST", "/things", "<thing count='many'/>")
            #expect(refused.status == 400)
            #expect(refused.fault.message.contains("body.thing.count must be of type integer"))
        }
    }

    @Test("an action of a plugin takes digits and truth values, and answers in XML")
    func pluginAction() async throws {
        let json: JSONValue = [
            "name": "count", "policy": "instance:count", "role": "control", "read_only": true, "summary": "for tests",
            "args": [
                ["name": "limit", "type": "u64"], ["name": "deep", "type": "bool"], ["name": "share", "type": "f64"],
                ["name": "word", "type": "str"],
            ],
        ]
        try await withAPI { api in
            api.plugins.setPlugins { $0[1].actions = ActionDeclaration.list([json]) }
            let id = try await api.insertRunning()
            let response = await api.sendXML(
                "POST", "/instances/\(id)/action", "<count limit='7' deep='True' share='0.5' word='8'/>",
                accept: "application/xml")
            #expect(response.status == 200)
            #expect(
                response.flatXML.hasSuffix(
                    "<result xmlns=\"\(APIFixture.namespace)\"><deep>True</deep><limit>7</limit><share>0.5</share>"
                        + "<word>8</word></result>"))
            let refused = await api.sendXML(
                "POST", "/instances/\(id)/action", "<count limit='7' deep='1' share='1' word='8'/>")
            #expect(refused.status == 400)
            #expect(refused.fault.message.contains("must be true or false"))
        }
    }
}
