// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("Databases and users as documents")
struct DatabaseSpecificationTests {
    @Test("a database reads back from its document, without members it does not have")
    func database() {
        let full = DatabaseSpecification(name: "d", characterSet: "utf8", collate: "utf8_bin")
        #expect(full.json == ["name": "d", "character_set": "utf8", "collate": "utf8_bin"])
        #expect(DatabaseSpecification(json: full.json) == full)
        #expect(DatabaseSpecification(name: "d").json == ["name": "d"])
        #expect(DatabaseSpecification(json: ["character_set": "utf8"]) == nil)
        #expect(DatabaseSpecification(json: ["name": 7]) == nil)
    }

    @Test("a user reads back from its document; name and password are needed")
    func user() {
        let user = UserSpecification(name: "u", password: Secret("p"), host: "10.0.0.%", databases: ["a", "b"])
        #expect(UserSpecification(json: user.json) == user)
        #expect(user.json["databases"] == [["name": "a"], ["name": "b"]])
        #expect(UserSpecification(name: "u", password: Secret("p")).json["host"] == nil)
        #expect(UserSpecification(json: ["name": "u"]) == nil)
        #expect(UserSpecification(json: ["password": "p"]) == nil)
    }
}
