// SPDX-License-Identifier: Apache-2.0

import Configuration
import SystemPackage
import Yams

/// Single settings of a configuration file, overridden by environment variables `TROVE_…`; knows where each one stands.
struct SettingReader {
    private let document: YAMLDocument
    private let nodes: [String: Node]
    private let reader: ConfigReader

    /// - Parameter keys: Every key that the file may have, in dotted form.
    /// - Throws: `StartError` naming file, line and reason.
    init(_ path: String, keys: Set<String>) async throws {
        document = try YAMLDocument(path: path)
        guard document.root.mapping != nil else { throw document.error(document.root, "the file must be a mapping") }
        nodes = try Self.leaves(document, document.root, prefix: "", keys: keys)
        let file: FileProvider<YAMLSnapshot>
        do {
            file = try await FileProvider<YAMLSnapshot>(filePath: FilePath(path))
        } catch {
            throw StartError("\(path): \(error)")
        }
        reader = ConfigReader(providers: [EnvironmentVariablesProvider().prefixKeys(with: "trove"), file])
    }

    /// The value as text; nil without one.
    func text(_ key: String) -> String? {
        let name = ConfigKey(key)
        let text =
            reader.string(forKey: name) ?? reader.int(forKey: name).map { "\($0)" }
            ?? reader.double(forKey: name).map { "\($0)" } ?? reader.bool(forKey: name).map { "\($0)" }
        return text?.isEmpty == true ? nil : text
    }

    func integer(_ key: String, _ value: inout Int, _ range: ClosedRange<Int>) throws {
        guard let text = text(key) else { return }
        guard let number = Int(text), range.contains(number) else {
            throw error(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        value = number
    }

    func number(_ key: String, _ value: inout Double, _ range: ClosedRange<Double>) throws {
        guard let text = text(key) else { return }
        guard let number = Double(text), range.contains(number) else {
            throw error(key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        value = number
    }

    func bool(_ key: String, _ value: inout Bool) throws {
        guard let text = text(key)?.lowercased() else { return }
        switch text {
        case "true", "yes", "on", "1": value = true
        case "false", "no", "off", "0": value = false
        default: throw error(key, "must be true or false")
        }
    }

    /// An error that names the setting and where it stands: the environment variable, or file and line.
    func error(_ key: String, _ reason: String) -> StartError {
        let variable = Self.variable(key)
        if Environment.value(variable) != nil { return StartError("\(variable): '\(key)' \(reason)") }
        return document.error(nodes[key], "'\(key)' \(reason)")
    }

    /// The environment variable that takes a key's place.
    static func variable(_ key: String) -> String {
        "TROVE_" + key.uppercased().split(separator: ".").joined(separator: "_")
    }

    private static func leaves(
        _ document: YAMLDocument, _ node: Node, prefix: String, keys: Set<String>
    ) throws -> [String: Node] {
        var result: [String: Node] = [:]
        for (key, value) in node.mapping ?? [:] {
            let name = (prefix.isEmpty ? "" : prefix + ".") + (key.string ?? "?")
            let isGroup = keys.contains { $0.hasPrefix(name + ".") }
            guard isGroup || keys.contains(name) else {
                throw document.error(key, "'\(name)' is not a key; Config/trove.yaml lists them")
            }
            if value.null != nil { continue }
            guard (value.mapping != nil) == isGroup, value.sequence == nil else {
                throw document.error(value, "'\(name)' must be \(isGroup ? "a mapping" : "one value")")
            }
            let found = isGroup ? try leaves(document, value, prefix: name, keys: keys) : [name: value]
            for (name, node) in found where result.updateValue(node, forKey: name) != nil {
                throw document.error(node, "'\(name)' appears twice")
            }
        }
        return result
    }
}
