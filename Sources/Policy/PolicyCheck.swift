// SPDX-License-Identifier: Apache-2.0

/// A rule as it was read: a tree of checks.
///
/// Source: oslo.policy, "Policy checks" and "Generic checks".
indirect enum PolicyCheck: Sendable, Hashable {
    case always
    case never
    case role(PolicyTemplate, text: String)
    /// Another rule, by name.
    case rule(String)
    case credential(PolicyCredentials.Name, PolicyTemplate, text: String)
    /// A literal, as Python writes it, against the target.
    case literal(String, PolicyTemplate, text: String)
    case not(PolicyCheck)
    case all([PolicyCheck])
    case any([PolicyCheck])

    /// The check in the rule language, parentheses where they are needed.
    var text: String { Self.written(self, within: 0) }

    private static func written(_ check: PolicyCheck, within level: Int) -> String {
        switch check {
        case .always: return "@"
        case .never: return "!"
        case .role(_, let text), .credential(_, _, let text), .literal(_, _, let text): return text
        case .rule(let name): return "rule:" + name
        case .not(let check): return "not " + written(check, within: 3)
        case .all(let checks):
            let text = checks.map { written($0, within: 2) }.joined(separator: " and ")
            return level > 1 ? "(\(text))" : text
        case .any(let checks):
            let text = checks.map { written($0, within: 1) }.joined(separator: " or ")
            return level > 0 ? "(\(text))" : text
        }
    }

    /// Names after `rule:` in it.
    var references: Set<String> {
        switch self {
        case .rule(let name): [name]
        case .not(let check): check.references
        case .all(let checks), .any(let checks): checks.reduce(into: []) { $0.formUnion($1.references) }
        default: []
        }
    }
}
