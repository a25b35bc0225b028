// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import API

@Suite("Schema")
struct SchemaTests {
    private let instance = Schema.object(
        [
            "instance": .object(
                [
                    "name": .nonEmptyText, "volume": .volume, "count": .integer(minimum: 1, maximum: 3),
                    "nics": .array(of: .object(["net-id": .uuid], isClosed: true), maximum: 1),
                ], required: ["name"])
        ], required: ["instance"])

    private func message(_ schema: Schema, _ body: JSONValue) -> String? {
        do {
            try schema.validate(body)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("the contract's example, word for word")
    func example() {
        #expect(
            message(instance, ["instance": ["name": "x", "volume": ["size": 0]]])
                == "Validation error: instance['volume']['size'] 0 is not valid under any of the given schemas;"
                + " 0 is less than the minimum of 1; 0 is not of type 'string'"
        )
    }

    @Test("an error at the root has no path")
    func root() {
        #expect(message(instance, [:]) == "Validation error: 'instance' is a required property")
        #expect(message(instance, []) == "Validation error: [] is not of type 'object'")
    }

    @Test("items of lists are named by index")
    func lists() {
        #expect(
            message(.object(["users": .users]), ["users": [["name": "bob"]]])
                == "Validation error: users[0] 'password' is a required property"
        )
        #expect(
            message(.object(["databases": .databases]), ["databases": "foo"])
                == "Validation error: databases 'foo' is not of type 'array'"
        )
    }

    @Test("several errors are joined in the order of their paths")
    func several() {
        #expect(
            message(instance, ["instance": ["name": "", "count": 4]])
                == "Validation error: instance['count'] 4 is greater than the maximum of 3; instance['name'] '' is too"
                + " short; instance['name'] '' does not match '^.*[0-9a-zA-Z]+.*$'"
        )
    }

    @Test("closed objects name what is too much")
    func closed() {
        #expect(
            message(instance, ["instance": ["name": "x", "nics": [["a": 1, "b": 2]]]])
                == "Validation error: instance['nics'][0] Additional properties are not allowed ('a', 'b' were unexpected)"
        )
    }

    @Test("true, 1.0 and \"1\" are not integers; a text of digits is a positive integer")
    func integers() {
        #expect(message(.zeroOrOne, true) == "Validation error: True is not of type 'integer'")
        #expect(message(.zeroOrOne, 1.0) == "Validation error: 1.0 is not of type 'integer'")
        #expect(message(.zeroOrOne, "1") == "Validation error: '1' is not of type 'integer'")
        #expect(message(.positiveInteger, "007") == nil)
        #expect(message(.positiveInteger, "000") != nil)
        #expect(message(.positiveInteger, "-1") != nil)
    }

    @Test("passwords are not quoted")
    func secrets() {
        let quoted = message(.oneOf([.null]), ["password": "hunter2"])
        #expect(quoted?.contains("hunter2") == false)
    }

    @Test(
        "patterns of the contract",
        arguments: [
            (TextPattern.alphanumeric, "-a-", true), (.alphanumeric, "---", false), (.alphanumeric, "a\nb", false),
            (.host, "%", true), (.host, "10.0.0.%", true), (.host, "a b", false), (.host, "%a%b%", false),
            (.cidr, "10.0.0.0/8", true), (.cidr, "10.0.0.0/33", false), (.cidr, "10.0.0", false),
            (.cidr, "1.2.3.4", true),
            (.uuid, "d0000000-0000-4000-8000-00000000000g", false),
            (.uuid, "D0000000-0000-4000-8000-000000000001", true),
            (.ipv4, "10.0.0.1", true), (.ipv4, "10.0.0.1000", false),
        ] as [(TextPattern, String, Bool)]
    )
    func patterns(_ pattern: TextPattern, _ text: String, _ fits: Bool) {
        #expect(pattern.matches(text) == fits)
    }

    @Test("values are quoted as the contract's messages do")
    func quoting() {
        #expect(JSONValue.string("it's").quoted == "\"it's\"")
        #expect(JSONValue.array([.null, true, "a\n"]).quoted == "[None, True, 'a\\n']")
        #expect((["b": 1, "a": [:]] as JSONValue).quoted == "{'a': {}, 'b': 1}")
    }
}
