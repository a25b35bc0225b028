// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Yams

/// A YAML file with places, so that what is wrong in it can be named by line.
struct YAMLDocument {
    let path: String
    let root: Node

    /// - Parameter mayBeEmpty: A file of comments alone is an empty mapping, and no error.
    init(path: String, mayBeEmpty: Bool = false) throws {
        self.path = path
        let text = try Self.read(path)
        do {
            guard let node = try Yams.compose(yaml: text) ?? (mayBeEmpty ? Node([(Node, Node)]()) : nil) else {
                throw StartError("\(path): the file is empty")
            }
            root = node
        } catch let error as YamlError {
            throw StartError(Self.sentence(error, path))
        }
    }

    /// An error that names the file, the line of `node` and the reason.
    func error(_ node: Node?, _ reason: String) -> StartError {
        let line = node?.mark.map { ":\($0.line)" } ?? ""
        return StartError("\(path)\(line): \(reason)")
    }

    /// The members of a mapping; keys outside `allowed` are refused.
    func mapping(_ node: Node, allowed: Set<String>, what: String) throws -> [String: Node] {
        guard let mapping = node.mapping else { throw error(node, "\(what) must be a mapping") }
        var members: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string, allowed.contains(name) else {
                let names = allowed.sorted().joined(separator: ", ")
                throw error(key, "'\(key.string ?? "?")' is not known in \(what); known are \(names)")
            }
            guard members.updateValue(value, forKey: name) == nil else {
                throw error(key, "'\(name)' appears twice in \(what)")
            }
        }
        return members
    }

    func sequence(_ node: Node?, what: String) throws -> [Node] {
        guard let node else { return [] }
        guard let sequence = node.sequence else { throw error(node, "\(what) must be a list") }
        return Array(sequence)
    }

    /// The text of a scalar; nil when the member is absent.
    func text(_ node: Node?, what: String) throws -> String? {
        guard let node else { return nil }
        guard let text = node.string, !text.isEmpty else { throw error(node, "\(what) must be a text") }
        return text
    }

    func requiredText(_ members: [String: Node], _ key: String, of node: Node, what: String) throws -> String {
        guard let text = try text(members[key], what: "'\(key)' of \(what)") else {
            throw error(node, "\(what) needs '\(key)'")
        }
        return text
    }

    func integer(_ members: [String: Node], _ key: String, of node: Node, what: String, minimum: Int) throws -> Int {
        guard let value = members[key]?.int, value >= minimum else {
            throw error(members[key] ?? node, "'\(key)' of \(what) must be a whole number, at least \(minimum)")
        }
        return value
    }

    func bool(_ node: Node?, default value: Bool, what: String) throws -> Bool {
        guard let node else { return value }
        guard let value = node.bool else { throw error(node, "\(what) must be true or false") }
        return value
    }

    /// Any YAML value as JSON.
    func json(_ node: Node) throws -> JSONValue {
        if let mapping = node.mapping {
            var members: [String: JSONValue] = [:]
            for (key, value) in mapping {
                guard let name = key.string else { throw error(key, "keys must be texts") }
                members[name] = try json(value)
            }
            return .object(members)
        }
        if let sequence = node.sequence { return .array(try sequence.map(json)) }
        if node.null != nil { return .null }
        if let value = node.bool { return .bool(value) }
        if let value = node.int { return .int(Int64(value)) }
        if let value = node.float { return .double(value) }
        return .string(node.string ?? "")
    }

    private static func read(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartError("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw StartError("cannot read \(path): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= 1 << 20 else { throw StartError("\(path): larger than 1 MiB") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw StartError("\(path): not UTF-8") }
        return text
    }

    /// Place and reason, without the lines that show where the parser was.
    private static func sentence(_ error: YamlError, _ path: String) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "\(path):\(mark.line): not YAML: \(problem)"
        default: "\(path): \("\(error)".split(separator: "\n").first ?? "not YAML")"
        }
    }
}
