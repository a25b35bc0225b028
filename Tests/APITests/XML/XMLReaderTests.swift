// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import API

@Suite("XML reader")
struct XMLReaderTests {
    private func read(_ text: String) throws -> XMLElement { try XMLReader.read(Array(text.utf8)) }

    private func json(_ text: String, _ shape: BodyShape = .any) throws -> JSONValue { try read(text).document(shape) }

    @Test("attributes, children and text; names without prefixes, namespaces are no members")
    func element() throws {
        let element = try read(
            "\u{FEFF}<?xml version='1.0' encoding='utf-8' standalone=\"yes\"?>\n<!-- c --><?pi x?>\n"
                + "<p:a xmlns:p=\"urn:x\" xmlns='urn:y' b = '1' p:c=\"2\"\n d='3'>\r\n  <e/> <!-- - --> <e>t</e>\n</p:a >\n<!---->"
        )
        #expect(element.name == "a")
        #expect(element.attributes.map(\.name) == ["b", "d"])
        #expect(element.attributes.map(\.value) == ["1", "3"])
        #expect(element.children == [XMLElement(name: "e"), XMLElement(name: "e", text: "t")])
        #expect(element.text == nil)
    }

    @Test(
        "texts",
        arguments: [
            ("<a>x</a>", "x"), ("<a> x </a>", " x "), ("<a>\r\nx\ry</a>", "\nx\ny"),
            ("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</a>", "<>&\"'A\u{1F600}"), ("<a>&#32;</a>", " "),
            ("<a> <![CDATA[<&]] >]]> </a>", "<&]] >"), ("<a><![CDATA[ ]]></a>", " "), ("<a>x<!-- y -->z</a>", "xz"),
            ("<a>é€\u{10000}</a>", "é€\u{10000}"), ("<a><?p?>x</a>", "x"), ("<a>&#13;</a>", "\r"), ("<a>]]</a>", "]]"),
        ]
    )
    func text(_ xml: String, _ text: String) throws {
        #expect(try read(xml).text == text)
    }

    @Test(
        "blanks between tags are no text",
        arguments: ["<a></a>", "<a/>", "<a />", "<a> \n\t</a>", "<a> <!-- x --> </a>", "<a><![CDATA[]]></a>"])
    func blank(_ xml: String) throws {
        #expect(try read(xml) == XMLElement(name: "a"))
    }

    @Test("blanks in an attribute are spaces, escaped ones stay")
    func attribute() throws {
        let value = try read("<a b='1\n2\t3\r\n4&#10;5&#9;&#xD;\n<'/>".replacing("<'", with: "&lt;'")).attributes[0]
            .value
        #expect(value == "1 2 3 4\n5\t\r <")
    }

    @Test(
        "what is not well-formed is refused with its place",
        arguments: [
            "", " ", "x", "<", "<a", "<a>", "<a/", "<a/ >", "<a></b>", "<a></a", "<a><b></a></b>", "<a/><b/>", "<a/>x",
            "x<a/>",
            "<1/>", "< a/>", "<a b/>", "<a b=1/>", "<a b='1'c='2'/>", "<a b='1' b='2'/>", "<a b='<'/>", "<a b='1/>",
            "<a>&</a>", "<a>&b;</a>", "<a>&amp</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#xD800;</a>", "<a>&#0;</a>",
            "<a>&#1;</a>", "<a>&#x110000;</a>", "<a>&#99999999999999999999;</a>", "<a>&#12a;</a>", "<a>]]></a>",
            "<a>\u{1}</a>", "<a>\u{FFFE}</a>", "<a b='\u{0}'/>", "<a><!-- -- --></a>", "<a><!-- </a>",
            "<a><![CDATA[</a>",
            "<a><? ?></a>", "<a><?b</a>", "<a><?xml version='1.0'?></a>", " <?xml version='1.0'?><a/>", "<?xml?><a/>",
            "<?xml version='2.0'?><a/>", "<?xml encoding='UTF-8'?><a/>", "<?xml version='1.0' x='y'?><a/>",
            "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "<?xml version='1.0' encoding='UTF-16'?><a/>",
            "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>", "<?xml version='1.0'><a/>", "<p:a/>",
            "<a p:b='1'/>", "<a:b:c/>", "<:a/>", "<a:/>", "<a><p:b xmlns:p='u'/><p:c/></a>", "<a>x<b/></a>",
            "<a><b/>x</a>",
            "<a>\u{B}</a>", "{}", "<a/>\u{0}",
        ]
    )
    func broken(_ xml: String) {
        #expect {
            try read(xml)
        } throws: { error in
            let fault = error as? APIFault
            return fault?.status == 400 && fault?.message.hasPrefix("Malformed request body: ") == true
                && fault?.message.hasSuffix(".") == true
        }
    }

    @Test(
        "document types are refused, whatever is in them",
        arguments: [
            "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<!doctype a><a/>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<?xml version='1.0'?><!DOCTYPE a PUBLIC 'x' 'http://h/x'><a/>",
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://h/p'>%p;]><a/>", "<a><!ENTITY b 'c'></a>", "<!ENTITY b 'c'><a/>",
            "<a/><!DOCTYPE a>",
        ]
    )
    func documentType(_ xml: String) throws {
        #expect {
            try read(xml)
        } throws: { error in
            (error as? APIFault)?.message.hasPrefix("Malformed request body: a document type is not allowed") == true
        }
    }

    @Test(
        "other encodings are refused",
        arguments: [[0xFF, 0xFE, 0x3C, 0], [0x3C, 0x61, 0x3E, 0xE9, 0x3C], [0xC0, 0xBC]])
    func encoding(_ bytes: [UInt8]) {
        #expect(throws: APIFault(400, "Malformed request body: XML must be UTF-8.")) { try XMLReader.read(bytes) }
    }

    @Test("nesting has a limit, and every prefix of a document is told from it")
    func limits() throws {
        let deepest = String(repeating: "<a>", count: 64) + String(repeating: "</a>", count: 64)
        _ = try read(deepest)
        for depth in [65, 1000, 200_000] {
            #expect(throws: APIFault.self) { try read(String(repeating: "<a>", count: depth)) }
        }
        let document = "<?xml version='1.0'?><a b='c'><!-- d --><e>&lt;<![CDATA[f]]></e><g/></a>"
        for count in 0..<document.utf8.count {
            #expect(throws: APIFault.self) { try XMLReader.read(Array(document.utf8.prefix(count))) }
        }
    }

    @Test("much is read in a moment, whatever it is made of", .timeLimit(.minutes(1)))
    func large() throws {
        let attributes = (0..<20_000).map { "a\($0)='1'" }.joined(separator: " ")
        #expect(try read("<a \(attributes)/>").attributes.count == 20_000)
        #expect(try read("<a b='\(String(repeating: "x", count: 200_000))'/>").attributes[0].value.count == 200_000)
        #expect(try read("<a>\(String(repeating: "<b/>", count: 50_000))</a>").children.count == 50_000)
        #expect(try read("<a>\(String(repeating: "&amp;", count: 50_000))</a>").text?.count == 50_000)
        #expect(try read("<a>\(String(repeating: "<!---->", count: 30_000))</a>").text == nil)
    }

    // MARK: - Values

    @Test("a text, an object of attributes and children of which the last counts, and an empty object")
    func objects() throws {
        #expect(try json("<restart/>") == ["restart": [:]])
        #expect(try json("<a><b>1</b></a>") == ["a": ["b": "1"]])
        #expect(try json("<a b='1' c='2'><b>3</b><b>4</b></a>") == ["a": ["b": "4", "c": "2"]])
        #expect(try json("<a b='1'>x</a>") == ["a": "x"])
        #expect(try json("<a xmlns='u' xmlns:b='v' b:c='w'/>") == ["a": [:]])
    }

    @Test(
        "lists by name",
        arguments: ["databases", "users", "nics", "instances", "modules", "grow", "shrink", "allowed_cidrs"])
    func lists(_ name: String) throws {
        #expect(try json("<\(name)/>") == .object([name: []]))
        #expect(try json("<x><\(name)><i a='1'/><i>t</i></\(name)></x>") == ["x": .object([name: [["a": "1"], "t"]])])
        #expect(try json("<\(name) c='d'><i/></\(name)>") == .object([name: [[:]]]))
    }

    @Test("a declared shape makes numbers, truth values, lists, texts and nothing of texts that fit")
    func shapes() throws {
        let shape = BodyShape(
            Schema.object([
                "a": .object([
                    "i": .integer(), "n": .number, "b": .boolean, "s": .string(), "l": .array(of: .integer()),
                    "p": .positiveInteger, "u": .oneOf([.uuid, .null]), "o": .oneOf([.null, .integer()]),
                    "m": .map(of: .boolean), "e": .enumeration(["1"]),
                    "t": .named("T", .oneOf([.array(of: .object(["i": .integer()])), .null])), "r": .object([:]),
                ])
            ]))
        #expect(
            try json(
                "<a i='5' n='1.5' b='True' s='7' p='8' e='1'><l><x>1</x><x>y</x></l><u/><o>3</o><m><k>false</k></m>"
                    + "<t><x i='2'/></t><r/></a>", shape) == [
                    "a": [
                        "i": 5, "n": 1.5, "b": true, "s": "7", "p": "8", "e": "1", "l": [1, "y"], "u": .null, "o": 3,
                        "m": ["k": false], "t": [["i": 2]], "r": [:],
                    ]
                ])
        #expect(
            try json("<a i='+5' n='x' b='1' s=''><l/><o/><s/><t/></a>", shape) == [
                "a": ["i": "+5", "n": "x", "b": "1", "s": "", "l": [], "o": .null, "t": []]
            ])
    }

    @Test("a plugin's schema is a shape too")
    func pluginShapes() throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "a": [
                    "properties": [
                        "i": ["type": "integer"], "n": ["type": ["number", "null"]], "b": ["type": "boolean"],
                        "l": ["type": "array", "items": ["type": "integer"]],
                        "o": ["anyOf": [["type": "boolean"], ["type": "integer"]]], "s": ["type": "string"],
                    ], "additionalProperties": ["type": "integer"],
                ]
            ],
        ]
        #expect(
            try json("<a i='1' b='false' o='2' s='3' z='4'><n/><l><x>5</x></l></a>", BodyShape(schema)) == [
                "a": ["i": 1, "b": false, "o": 2, "s": "3", "z": 4, "n": .null, "l": [5]]
            ])
    }
}
