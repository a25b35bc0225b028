// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import API

@Suite("XML translator")
struct XMLTranslatorTests {
    private func translate(_ json: String, _ kind: XMLTranslator.Kind = .resource) -> String {
        XMLTranslator.translate(Array(json.utf8), kind).map { String(decoding: $0, as: UTF8.self) } ?? "none"
    }

    /// Without the declaration, the namespace and the breaks.
    private func flat(_ json: String, _ kind: XMLTranslator.Kind = .resource) -> String {
        translate(json, kind).split(separator: "\n").dropFirst().map { $0.drop { $0 == " " } }.joined()
            .replacing(" xmlns=\"\(APIFixture.namespace)\"", with: "")
    }

    @Test("four blanks a level, the namespace on the root alone")
    func layout() {
        #expect(
            translate(
                #"{"databases":[{"name":"a","size":1},{"name":"b"}],"links":[{"rel":"next","href":"h?a=1&b=2"}]}"#)
                    == """
                    <?xml version="1.0" encoding="UTF-8"?>
                    <databases xmlns="http://docs.openstack.org/database/api/v1.0">
                        <database name="a">
                            <size>1</size>
                        </database>
                        <database name="b"/>
                        <links>
                            <link rel="next" href="h?a=1&amp;b=2"/>
                        </links>
                    </databases>

                    """)
    }

    @Test(
        "lists, objects and scalars",
        arguments: [
            (#"{"rootEnabled":true}"#, "<rootEnabled>True</rootEnabled>"),
            (
                #"{"a":{"b":null,"c":false,"d":1.50,"e":-3e2,"f":""}}"#,
                "<a><b>None</b><c>False</c><d>1.50</d><e>-3e2</e><f/></a>"
            ),
            (#"{"users":[]}"#, "<users/>"), (#"{"a":{}}"#, "<a/>"),
            (#"{"ip":["x",1]}"#, "<ip><item>x</item><item>1</item></ip>"),
            (#"{"addresses":[{}]}"#, "<addresses><addresse/></addresses>"), (#"{"s":[1]}"#, "<s><item>1</item></s>"),
            (#"{"lists":[[1],[]]}"#, "<lists><list><item>1</item></list><list/></lists>"),
            (#"{"links":[{"rel":"a"}]}"#, #"<links><link rel="a"/></links>"#),
            // Attributes stand first, wherever the members stand.
            (
                #"{"instance":{"links":[],"id":"1","x":{"y":1},"name":"n"}}"#,
                #"<instance id="1" name="n"><links/><x><y>1</y></x></instance>"#
            ),
            (
                #"{"server":{"volume":{"size":2,"used":0.16,"z":1},"id":"1"}}"#,
                #"<server><volume size="2" used="0.16"><z>1</z></volume><id>1</id></server>"#
            ),
            (
                #"{"quotas":{"instances":5,"volumes":[1]}}"#,
                #"<quotas instances="5"><volumes><volume>1</volume></volumes></quotas>"#
            ),
            // A page's links once, and last.
            (
                #"{"links":[{"rel":"n"}],"users":[],"users_links":[{"rel":"n"}]}"#,
                #"<users><links><link rel="n"/></links></users>"#
            ),
            // What has no root of its own.
            (#"{"a":1,"b":[2]}"#, "<result><a>1</a><b><item>2</item></b></result>"), ("{}", "<result/>"),
            ("5", "<result>5</result>"),
            (#"[1,"x"]"#, "<result><item>1</item><item>x</item></result>"),
            (#"{"links":[],"a":1}"#, "<result><links/><a>1</a></result>"),
            (#" { "a" : [ true , null ] } "#, "<a><item>True</item><item>None</item></a>"),
        ]
    )
    func shapes(_ json: String, _ xml: String) throws {
        #expect(flat(json) == xml)
        _ = try ParsedXML(Array(translate(json).utf8))
    }

    @Test("versions are attributes in the versions' documents alone")
    func versions() {
        let json = #"{"versions":[{"id":"1","status":"S","updated":"2012-08-01T00:00:00Z","links":[]}]}"#
        #expect(
            flat(json, .versions)
                == #"<versions><version id="1" status="S" updated="2012-08-01T00:00:00Z"><links/></version></versions>"#
        )
        #expect(flat(json).contains("<version><id>1</id><status>S</status>"))
    }

    @Test("times have a blank; what only looks like one has not")
    func times() {
        let time = "2026-01-02T03:04:05"
        #expect(
            flat(#"{"instance":{"created":"\#(time)","name":"\#(time)"}}"#)
                == #"<instance created="2026-01-02 03:04:05" name="2026-01-02T03:04:05"/>"#)
        #expect(
            flat(#"{"a":{"updated":"\#(time).123456","deleted_at":"\#(time)","service_status_updated":"\#(time)"}}"#)
                == "<a><updated>2026-01-02 03:04:05.123456</updated><deleted_at>2026-01-02 03:04:05</deleted_at>"
                + "<service_status_updated>2026-01-02 03:04:05</service_status_updated></a>")
        #expect(
            flat(#"{"a":{"nextAvailable":"\#(time)Z","updated":"2026-01-02Txx:04:05"}}"#)
                == "<a><nextAvailable>2026-01-02T03:04:05Z</nextAvailable><updated>2026-01-02Txx:04:05</updated></a>")
    }

    @Test("faults have their code as an attribute and no namespace, rate limits are compact and have it")
    func faults() {
        let fault = translate(#"{"itemNotFound":{"code":404,"message":"<x> & \"y\""}}"#, .fault)
        #expect(
            fault == """
                <?xml version="1.0" encoding="UTF-8"?>
                <itemNotFound code="404">
                    <message>&lt;x&gt; &amp; "y"</message>
                </itemNotFound>

                """)
        #expect(
            translate(#"{"overLimit":{"code":413,"message":"m","details":"d","retryAfter":"1"}}"#, .fault)
                == #"<?xml version="1.0" encoding="UTF-8"?>"#
                + #"<overLimit xmlns="http://docs.openstack.org/database/api/v1.0" code="413" retryAfter="1">"#
                + "<message>m</message><details>d</details></overLimit>")
    }

    @Test(
        "every text arrives as another parser reads it",
        arguments: [
            "a", "<>&'\"", "]]>", "&amp;", "é€\u{1F600}\u{FFFD}", " \t\n\r x", "\\n\\u0041\\", "／\u{FEFF}\u{FFEF}",
            "\u{7F}\u{85}\u{2028}",
            "/\u{8}/\u{C}", String(repeating: "x<", count: 5000),
        ]
    )
    func texts(_ text: String) throws {
        let json: JSONValue = ["user": ["name": .string(text), "other": .string("_" + text)]]
        let parsed = try ParsedXML(Array(translate(json.text).utf8))
        let expected = text.replacing("\u{8}", with: "\u{FFFD}").replacing("\u{C}", with: "\u{FFFD}")
        #expect(parsed.attributes["name"] == expected)
        #expect(parsed["other"]?.text == "_" + expected)
    }

    @Test("escapes of JSON, and what XML cannot have")
    func escapes() throws {
        let json = #"{"user":{"name":"\u00e9\ud83d\ude00\/\b\f\u0001\ud800x\udc00\ufffe","other":"\t\"\\"}}"#
        let parsed = try ParsedXML(Array(translate(json).utf8))
        #expect(parsed.attributes["name"] == "é\u{1F600}/\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}x\u{FFFD}\u{FFFD}")
        #expect(parsed["other"]?.text == "\t\"\\")
        #expect(try ParsedXML(Array(translate("{\"a\":\"x\u{FFFE}\u{FFFF}y\"}").utf8)).text == "x\u{FFFD}\u{FFFD}y")
    }

    @Test(
        "names that XML cannot have are written another way",
        arguments: ["", "1a", "a b", "a:b", "é", "-a", "a<b", "a\"b", "a\\b", "a\nb", "a.b-c_d", "xmlns"])
    func names(_ name: String) throws {
        let json: JSONValue = .object(["r": .object([name: [1]])])
        let parsed = try ParsedXML(Array(translate(json.text).utf8))
        #expect(parsed.children.count == 1)
        #expect(parsed.children[0].children.count == 1)
        #expect(parsed.leaves == ["1"])
        if name == "a.b-c_d" { #expect(parsed.children[0].name == name) }
        if name == "a b" { #expect(parsed.children[0].name == "a_x20_b") }
    }

    @Test(
        "what is not JSON is not translated",
        arguments: [
            "", " ", "{", "}", "[}", "{\"a\"}", "{\"a\":1,2:3}", "{1:2}", "\"a", "1 2", "{}{}", "[1]]", "{\"a\":\"\\",
        ])
    func broken(_ json: String) {
        #expect(translate(json) == "none")
    }

    @Test("a deep document is translated")
    func deep() throws {
        let json = String(repeating: "{\"a\":", count: 60) + "1" + String(repeating: "}", count: 60)
        #expect(try ParsedXML(Array(translate(json).utf8)).leaves == ["1"])
    }
}
