// SPDX-License-Identifier: Apache-2.0

import Policy
import Yams

/// `policy.yaml`: rule names to texts of the rule language, or to lists of lists of checks.
enum PolicyFile {
    /// - Throws: `StartError` naming file, line and reason.
    static func read(_ path: String) throws -> PolicyRules {
        let file = try YAMLDocument(path: path, mayBeEmpty: true)
        var overrides: [PolicyOverride] = []
        guard let mapping = file.root.mapping else {
            throw file.error(file.root, "the policy file must map rule names to rules")
        }
        for (key, value) in mapping {
            guard let name = key.string, !name.isEmpty else { throw file.error(key, "a rule's name must be a text") }
            guard !overrides.contains(where: { $0.name == name }) else {
                throw file.error(key, "rule '\(name)' appears twice")
            }
            overrides.append(PolicyOverride(name: name, text: try text(value, name, file), line: key.mark?.line))
        }
        do throws(PolicyError) {
            return try PolicyRules(overrides)
        } catch {
            throw StartError("\(path)\(error.line.map { ":\($0)" } ?? ""): \(error)")
        }
    }

    private static func text(_ node: Node, _ name: String, _ file: YAMLDocument) throws -> PolicyOverride.Text {
        if node.null != nil, node.string?.isEmpty != false { return .text("") }
        if let text = node.string { return .text(text) }
        guard let sequence = node.sequence else {
            throw file.error(node, "rule '\(name)' must be a text such as \"rule:admin\"")
        }
        return .lists(
            try sequence.map { list in
                if let check = list.string { return [check] }
                guard let checks = list.sequence else {
                    throw file.error(list, "rule '\(name)' must be lists of checks")
                }
                return try checks.map { check in
                    guard let text = check.string else { throw file.error(check, "a check must be a text") }
                    return text
                }
            })
    }
}
