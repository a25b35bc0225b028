// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import Testing

@Suite("Documents of the guest's verbs")
struct GuestDocumentTests {
    private let prepare = PrepareArguments(
        memoryMB: 2048, packages: [],
        databases: [
            DatabaseSpecification(name: "db1", characterSet: "utf8", collate: "utf8_general_ci")
        ],
        users: [UserSpecification(name: "u1", password: Secret("pw"), host: "%", databases: ["db1"])],
        devicePath: "/dev/vdb", mountPoint: "/var/lib/mysql", configContents: "[mysqld]\nx=1\n", dsVersion: "8.0"
    )

    /// Captured from the reference service, packages as a list.
    private let captured = #"""
        {"backup_info": null, "cluster_config": null, "config_contents": "[mysqld]\nx=1\n",
         "databases": [{"_character_set": "utf8", "_collate": "utf8_general_ci", "_name": "db1"}],
         "device_path": "/dev/vdb", "ds_version": "8.0", "memory_mb": 2048, "modules": null,
         "mount_point": "/var/lib/mysql", "overrides": null, "packages": [],
         "root_password": null, "snapshot": null,
         "users": [{"_databases": [{"_name": "db1"}], "_host": "%", "_name": "u1", "_password": "pw"}]}
        """#

    @Test("prepare is written as the reference service writes it, with 14 members")
    func prepareForm() throws {
        #expect(JSONValue.object(prepare.arguments) == (try JSONValue(parsing: captured)))
        #expect(prepare.arguments.count == 14)
    }

    @Test("prepare is read as the reference service writes it, also with packages as text")
    func prepareRead() throws {
        var arguments = try #require(try JSONValue(parsing: captured).objectValue)
        #expect(try PrepareArguments(arguments: arguments).arguments == prepare.arguments)
        arguments["packages"] = ""
        #expect(try PrepareArguments(arguments: arguments).packages.isEmpty)
        arguments["packages"] = "a b"
        #expect(try PrepareArguments(arguments: arguments).packages == ["a", "b"])
        arguments["root_password"] = "secret"
        #expect(try PrepareArguments(arguments: arguments).rootPassword == Secret("secret"))
    }

    static let refused: [(String, JSONValue)] = [
        ("memory_mb", .string("hidden")), ("memory_mb", .int(0)), ("databases", .array([["hidden": "x"]])),
        ("users", .array([["_name": "hidden"]])), ("users", .string("hidden")), ("packages", .array([1])),
        ("device_path", .int(5)), ("mount_point", .null), ("config_contents", .int(1)), ("root_password", .int(12)),
        ("snapshot", .object(["hidden": 1])), ("cluster_config", .object(["id": 1])),
        ("modules", .array([["module": [:]]])),
    ]

    @Test("prepare refuses wrong types and what this guest cannot do, without the values", arguments: refused)
    func prepareRefused(_ name: String, _ value: JSONValue) throws {
        var arguments = prepare.arguments
        arguments[name] = value
        let fault = #expect(throws: RPCFault.self) { try PrepareArguments(arguments: arguments) }
        #expect(fault?.message.contains("'\(name)'") == true)
        #expect(fault?.message.contains("hidden") == false)
    }

    @Test("backup info survives the wire and refuses what is missing")
    func backupInfo() throws {
        let parent = BackupInfo(
            id: "b0", instanceID: "i", location: "file:///b0", type: "p@1", checksum: "ab", dataKey: Secret("key0"),
            wrappedKey: "w0", position: ["lsn": 5]
        )
        let info = BackupInfo(
            id: "b1", instanceID: "i", location: "file:///b1", type: "p@1", dataKey: Secret("key1"), wrappedKey: "w1",
            parent: parent.json
        )
        #expect(try BackupInfo(json: info.json) == info)
        #expect(try BackupInfo(json: info.parent) == parent)
        var chained = info
        chained.parents = [parent, info]
        chained.sealedID = "b9"
        #expect(try BackupInfo(json: chained.json) == chained)
        #expect(info.json["sealed_id"] == nil && chained.json["sealed_id"] == "b9")
        for name in ["id", "instance_id", "location", "type", "data_key", "wrapped_key"] {
            var members = try #require(info.json.objectValue)
            members[name] = nil
            let fault = #expect(throws: RPCFault.self) { try BackupInfo(json: .object(members)) }
            #expect(fault?.message.contains("'\(name)'") == true)
        }
        #expect(throws: RPCFault.self) { try BackupInfo(json: .null) }
    }

    @Test("databases and users have underscored names on the bus, and come back")
    func wireForm() throws {
        let user = UserSpecification(name: "u", password: Secret("p"), host: "%", databases: ["a", "b"])
        #expect(
            user.busForm == [
                "_name": "u", "_password": "p", "_host": "%", "_databases": [["_name": "a"], ["_name": "b"]],
            ])
        #expect(UserSpecification(busForm: user.busForm) == user)
        let database = DatabaseSpecification(name: "d", characterSet: "utf8")
        #expect(database.busForm == ["_name": "d", "_character_set": "utf8"])
        #expect(DatabaseSpecification(busForm: database.busForm) == database)
        #expect(UserSpecification(busForm: ["_name": "u"]) == nil)
        #expect(DatabaseSpecification(busForm: ["_collate": "x"]) == nil)
    }

    @Test("plugin documents turn into bus documents and back, other names stay")
    func renaming() {
        let plugin: JSONValue = [["name": "root", "is_root": true, "databases": [["name": "d"]], "other": 1], .null]
        let bus: JSONValue = [["_name": "root", "_is_root": true, "_databases": [["_name": "d"]], "other": 1], .null]
        #expect(WireForm.toBus(plugin) == bus)
        #expect(WireForm.fromBus(bus) == plugin)
        #expect(WireForm.userReference(name: "u", host: nil) == ["_name": "u"])
    }

    @Test("logs show no secret of any verb's arguments")
    func redaction() {
        let secrets = ["root_password": JSONValue.string("hide1"), "users": [["name": "u", "password": "hide2"]]]
        let prepareText = RPCRequest(method: "prepare", arguments: prepare.arguments, context: .test).redactedArguments
            .text
        let text = RPCRequest(method: "x", arguments: secrets, context: .test).redactedArguments.text
        #expect(!prepareText.contains("pw") && prepareText.contains("u1"))
        #expect(!text.contains("hide") && text.contains("redacted"))
        let info = BackupInfo(
            id: "b", instanceID: "i", location: "l", type: "t", dataKey: Secret("hide3"), wrappedKey: "w")
        let backup = RPCRequest(method: "x", arguments: ["backup_info": info.json], context: .test)
        #expect(!backup.redactedArguments.text.contains("hide"))
    }
}
