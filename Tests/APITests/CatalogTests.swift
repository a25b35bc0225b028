// SPDX-License-Identifier: Apache-2.0

import API
import Model
import Testing

@Suite("Flavors, datastores, limits, extensions")
struct CatalogTests {
    @Test("flavors have a numeric id only when theirs is a number")
    func flavors() async throws {
        try await withAPI { api in
            let flavors = await api.send("GET", "/flavors").json["flavors"]
            #expect(flavors?.arrayValue?.count == 3)
            #expect(flavors?[0]?["id"] == 1)
            #expect(flavors?[1]?["id"] == .null)
            #expect(flavors?[1]?["str_id"] == "big")
            #expect(
                Set((flavors?[0]?.objectValue ?? [:]).keys)
                    == ["id", "str_id", "name", "ram", "vcpus", "disk", "ephemeral", "links"])
            let one = await api.send("GET", "/flavors/1").json["flavor"]
            #expect(one == flavors?[0])
            expectFault(await api.send("GET", "/flavors/7"), 404, "Resource 7 cannot be found.")
            let associated = await api.send("GET", "/datastores/x/versions/y/flavors").json["flavors"]
            #expect(associated == flavors)
        }
    }

    @Test("datastores list active versions; administrators see all and more of each")
    func datastores() async throws {
        try await withAPI { api in
            let list = await api.send("GET", "/datastores").json["datastores"]?.arrayValue ?? []
            let mariadb = list.first { $0["name"] == "mariadb" }
            #expect(list.count == 2)
            #expect(mariadb?["default_version"] == .string(APIFixture.versionID))
            #expect(list.first { $0["name"] == "other" }?["default_version"] == nil)
            let versions = mariadb?["versions"]?.arrayValue ?? []
            #expect(Set(versions.compactMap { $0["name"]?.stringValue }) == ["11.4", "12.0"])
            #expect(Set((versions.first?.objectValue ?? [:]).keys) == ["id", "name", "version", "links"])
            let admin = await api.send("GET", "/datastores", as: "admin").json["datastores"]?.arrayValue ?? []
            let all = admin.first { $0["name"] == "mariadb" }?["versions"]?.arrayValue ?? []
            #expect(all.count == 3)
            #expect(all.first { $0["name"] == "10.0" }?["active"] == false)
            #expect(all.first?["packages"] == "a,b")
        }
    }

    @Test("a datastore is found by id and by name, with and without .json")
    func datastore() async throws {
        try await withAPI { api in
            for name in ["mariadb", APIFixture.datastoreID, "mariadb.json"] {
                let datastore = await api.send("GET", "/datastores/\(name)", as: "admin").json["datastore"]
                #expect(datastore?["id"] == .string(APIFixture.datastoreID))
                #expect(datastore?["versions"]?.arrayValue?.count == 2)
            }
            expectFault(await api.send("GET", "/datastores/x"), 404, "Datastore 'x' cannot be found.")
        }
    }

    @Test("versions are found by id or unique name, with any verb")
    func versions() async throws {
        try await withAPI { api in
            let base = "/datastores/mariadb/versions"
            for verb in ["GET", "POST"] {
                #expect(await api.send(verb, base).json["versions"]?.arrayValue?.count == 2)
                let version = await api.send(verb, base + "/11.4").json["version"]
                #expect(version?["id"] == .string(APIFixture.versionID))
                #expect(version?["datastore"] == .string(APIFixture.datastoreID))
                let path = "/datastores/versions/\(APIFixture.versionID)"
                let byID = await api.send(verb, path).json["version"]
                #expect(byID == version)
                let href = version?["links"]?[0]?["href"]?.stringValue
                #expect(href?.hasSuffix(path) == true)
            }
            #expect(await api.send("GET", base + "/\(APIFixture.inactiveID)").status == 200)
            expectFault(await api.send("GET", base + "/9"), 400, "Datastore version '9' cannot be found.")
            expectFault(
                await api.send("GET", base + "/\(APIFixture.otherVersionID)"), 404, "DBDatastoreVersion Not Found")
            expectFault(
                await api.send("GET", "/datastores/versions/x"), 400, "Datastore version 'x' cannot be found.")
            #expect(await api.send("GET", base + "/11.4/volume-types").json == ["volume_types": []])
        }
    }

    @Test("limits begin with the absolute ones")
    func limits() async throws {
        var configuration = APIFixture.configuration
        configuration.rateLimits = ["GET": 200, "POST": 100]
        try await withAPI(configuration) { api in
            let limits = await api.send("GET", "/limits").json["limits"]
            #expect(
                limits?[0] == [
                    "verb": "ABSOLUTE", "max_instances": 10, "max_ram": -1, "max_backups": 50, "max_volumes": 40,
                ]
            )
            #expect(
                limits?[1] == [
                    "verb": "GET", "uri": "*", "regex": ".*", "value": 200, "unit": "MINUTE", "remaining": 199,
                    "nextAvailable": "2020-09-13T12:26:40Z",
                ]
            )
            #expect(limits?.arrayValue?.count == 3)
        }
        try await withAPI { api in
            #expect(await api.send("GET", "/limits").json["limits"]?.arrayValue?.count == 1)
        }
    }

    @Test("extensions are the plugins that offer routes")
    func extensions() async throws {
        try await withAPI { api in
            let list = await api.send("GET", "/extensions").json["extensions"]
            #expect(list?.arrayValue?.map { $0["alias"] } == [.string(TestPlugins.extensionID)])
            let one = await api.send("GET", "/extensions/\(TestPlugins.extensionID)").json["extension"]
            #expect(one == list?[0])
            #expect(await api.send("GET", "/extensions/\(TestPlugins.engine)").status == 404)
        }
    }
}
