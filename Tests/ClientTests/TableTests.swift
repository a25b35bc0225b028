// SPDX-License-Identifier: Apache-2.0

import Client
import Model
import Testing

@Suite("Tables and documents")
struct TableTests {
    private final class Sink {
        var text = ""
    }

    private func printed(_ form: Printer.Form, width: Int? = nil, _ body: (Printer) -> Void) -> String {
        let sink = Sink()
        body(Printer(form, width: width) { sink.text += $0 })
        return sink.text
    }

    private static let items: [JSONValue] = [
        ["id": "1", "name": "商店", "flavor": ["id": 7], "links": []],
        ["id": "2", "name": "a\nb", "addresses": [["address": "10.0.0.1"], ["address": "10.0.0.2"]]],
    ]
    private static let columns = [
        Column("ID", "id"), Column("Name", "name"), Column("Flavor", "flavor.id|flavor_id"),
        Column("Addresses", "addresses|ip"),
    ]

    @Test("columns are as wide as what is in them, cells may have lines")
    func list() {
        #expect(
            printed(.table) { $0.list(Self.items, Self.columns) } == """
                +----+------+--------+--------------------+
                | ID | Name | Flavor | Addresses          |
                +----+------+--------+--------------------+
                | 1  | 商店 | 7      | -                  |
                | 2  | a    | -      | 10.0.0.1, 10.0.0.2 |
                |    | b    |        |                    |
                +----+------+--------+--------------------+

                """)
    }

    @Test("an empty list has its headings")
    func empty() {
        #expect(
            printed(.table) { $0.list([], [Column("ID", "id")]) } == """
                +----+
                | ID |
                +----+

                """)
        #expect(printed(.json) { $0.list([], [Column("ID", "id")]) } == "[]\n")
    }

    @Test("a narrow terminal wraps the widest column, a pipe never")
    func width() {
        let items: [JSONValue] = [["id": "0123456789", "name": "x", "description": "one two three four five"]]
        let columns = [Column("ID", "id"), Column("Name", "name"), Column("Description", "description")]
        let narrow = printed(.table, width: 40) { $0.list(items, columns) }
        #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 40 })
        #expect(narrow.contains("| 0123456789 | x    | one two three    |"))
        #expect(narrow.contains("|            |      | four five        |"))
        #expect(printed(.table) { $0.list(items, columns) }.contains("one two three four five"))
    }

    @Test("an object is its members, nested ones with dots, without links")
    func object() {
        let object: JSONValue = [
            "id": "1", "volume": ["size": 1, "used": 0.5], "links": [["rel": "self"]], "replica_of": .null,
            "empty": [:], "access": ["is_public": false],
        ]
        #expect(
            printed(.table) { $0.object(object) } == """
                +------------------+-------+
                | Field            | Value |
                +------------------+-------+
                | access.is_public | false |
                | empty            |       |
                | id               | 1     |
                | replica_of       | -     |
                | volume.size      | 1     |
                | volume.used      | 0.5   |
                +------------------+-------+

                """)
        #expect(printed(.json) { $0.object(object) } == object.text + "\n")
    }

    @Test("JSON is the API's own, whatever the columns are; notes are for people")
    func json() throws {
        let text = printed(.json) { printer in
            printer.note("done")
            printer.list(Self.items, Self.columns)
        }
        #expect(try JSONValue(parsing: text) == .array(Self.items))
        #expect(printed(.table) { $0.note("a\u{1B}b") } == "a\\u{1b}b\n")
    }

    @Test("words become the values of parameters")
    func parameters() throws {
        #expect(
            try ParameterText.object(["a=1", "b=true", "c=0.5", "d=word", "e=\"1\"", "f=", "g=x=y", "h=null"])
                == ["a": 1, "b": true, "c": 0.5, "d": "word", "e": "1", "f": "", "g": "x=y", "h": "null"])
        for words in [[], ["a"], ["=1"], ["a=1", "a=2"]] {
            #expect(throws: ClientError.self) { try ParameterText.object(words) }
        }
    }
}
