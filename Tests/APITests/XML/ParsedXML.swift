// SPDX-License-Identifier: Apache-2.0

import API
import Foundation
import FoundationXML
import Model
import Testing

/// XML as another program's parser reads it.
struct ParsedXML: Equatable {
    var name: String
    var attributes: [String: String] = [:]
    var children: [ParsedXML] = []
    var text = ""

    /// - Throws: what the parser complains of.
    init(_ bytes: [UInt8]) throws {
        let builder = Builder()
        let parser = XMLParser(data: Data(bytes))
        parser.delegate = builder
        guard parser.parse(), parser.parserError == nil, builder.errors.isEmpty, let root = builder.root else {
            throw NotXML(text: String(decoding: bytes, as: UTF8.self), errors: builder.errors)
        }
        self = root
    }

    fileprivate init(name: String, attributes: [String: String]) {
        self.name = name
        self.attributes = attributes
    }

    /// The first child called `name`.
    subscript(_ name: String) -> ParsedXML? { children.first { $0.name == name } }

    /// The namespace that the element declares.
    var namespace: String? { attributes["xmlns"] }

    /// Values of attributes and texts, sorted; none that is empty.
    var leaves: [String] {
        var leaves = attributes.filter { $0.key != "xmlns" }.map(\.value)
        if children.isEmpty, !text.isEmpty { leaves.append(text) }
        return (leaves.filter { !$0.isEmpty } + children.flatMap(\.leaves)).sorted()
    }

    struct NotXML: Error {
        var text: String
        var errors: [String]
    }

    private final class Builder: NSObject, XMLParserDelegate {
        var root: ParsedXML?
        var errors: [String] = []
        private var open: [ParsedXML] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            open.append(ParsedXML(name: name, attributes: attributes))
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) {
            open[open.count - 1].text += text
        }

        func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
            var element = open.removeLast()
            if !element.children.isEmpty { element.text = "" }
            if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
        }

        func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) { errors.append("\(error)") }
    }
}

extension JSONValue {
    /// Its scalars as XML writes them, sorted; empty texts have no leaf in XML. A page's second name for links is left out.
    var leaves: [String] {
        switch self {
        case .null: ["None"]
        case .bool(let value): [value ? "True" : "False"]
        case .int(let value): [String(value)]
        case .double(let value): [String(value)]
        case .string(let text): text.isEmpty ? [] : [text]
        case .array(let items): items.flatMap(\.leaves).sorted()
        case .object(let members):
            members.filter { !$0.key.hasSuffix("_links") }.flatMap { name, value in
                let isTime = ["created", "updated", "service_status_updated"].contains(name)
                return value.leaves.map { text in
                    isTime && text.count == 19 ? text.replacingOccurrences(of: "T", with: " ") : text
                }
            }.sorted()
        }
    }
}

extension APIResponse {
    /// The body as text, each element on the line of the one before.
    var flatXML: String {
        String(decoding: body, as: UTF8.self).split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
    }
}

extension APIFixture {
    static let namespace = "http://docs.openstack.org/database/api/v1.0"

    /// Sends an XML body below the project.
    func sendXML(
        _ method: String, _ path: String, as token: String = "alice", _ xml: String, accept: String? = nil
    ) async -> APIResponse {
        var headers = [(name: "content-type", value: "application/xml")]
        if let accept { headers.append(("accept", accept)) }
        return await sendText(method, path, as: token, text: xml, headers: headers)
    }

    /// Asks for XML below the project.
    func getXML(_ path: String, as token: String = "alice") async -> APIResponse {
        await send("GET", path, as: token, headers: [("accept", "application/xml")])
    }
}
