// SPDX-License-Identifier: Apache-2.0

/// Reads the rule language: checks joined by `and`, `or`, `not` and parentheses.
///
/// `not` binds strongest, then `and`, then `or`; words in any case of letters. Where oslo.policy writes a warning and lets
/// nobody through, reading fails, so that an operator hears of it at once. Source: oslo.policy, "Rules".
struct PolicyParser {
    /// What can never hold, in sentences.
    private(set) var warnings: [String] = []
    private var tokens: [Token] = []
    private var position = 0

    private static let depthLimit = 64

    private enum Token: Equatable {
        case left, right, and, or, not
        case check(String)
    }

    /// Reads a text; an empty one always holds.
    mutating func parse(_ text: String) throws(PolicyError) -> PolicyCheck {
        guard !text.isEmpty else { return .always }
        tokens = try Self.tokens(text)
        position = 0
        guard !tokens.isEmpty else { throw PolicyError(.syntax, "there is nothing but blanks; '' allows everybody") }
        let check = try alternatives(0)
        guard position == tokens.count else {
            throw PolicyError(.syntax, "'and' or 'or' is missing, or a ')' is too many, in '\(text)'")
        }
        return check
    }

    /// Reads the old form: any of lists, each of which is all of its checks. An empty list always holds.
    mutating func parse(lists: [[String]]) throws(PolicyError) -> PolicyCheck {
        guard !lists.isEmpty else { return .always }
        var alternatives: [PolicyCheck] = []
        for list in lists where !list.isEmpty {
            var checks: [PolicyCheck] = []
            for text in list { checks.append(try check(text)) }
            alternatives.append(checks.count == 1 ? checks[0] : .all(checks))
        }
        guard !alternatives.isEmpty else { return .never }
        return alternatives.count == 1 ? alternatives[0] : .any(alternatives)
    }

    // MARK: Grammar

    private mutating func alternatives(_ depth: Int) throws(PolicyError) -> PolicyCheck {
        var checks = [try conjunction(depth)]
        while take(.or) { checks.append(try conjunction(depth)) }
        return checks.count == 1 ? checks[0] : .any(checks)
    }

    private mutating func conjunction(_ depth: Int) throws(PolicyError) -> PolicyCheck {
        var checks = [try term(depth)]
        while take(.and) { checks.append(try term(depth)) }
        return checks.count == 1 ? checks[0] : .all(checks)
    }

    private mutating func term(_ depth: Int) throws(PolicyError) -> PolicyCheck {
        guard depth < Self.depthLimit else {
            throw PolicyError(.syntax, "it is nested deeper than \(Self.depthLimit)")
        }
        guard position < tokens.count else { throw PolicyError(.syntax, "it ends where a check must stand") }
        let token = tokens[position]
        position += 1
        switch token {
        case .not: return .not(try term(depth + 1))
        case .check(let text): return try check(text)
        case .left:
            let inner = try alternatives(depth + 1)
            guard take(.right) else { throw PolicyError(.syntax, "a ')' is missing") }
            return inner
        case .right: throw PolicyError(.syntax, "a ')' stands where a check must stand")
        case .and, .or: throw PolicyError(.syntax, "'and' or 'or' stands where a check must stand")
        }
    }

    private mutating func take(_ token: Token) -> Bool {
        guard position < tokens.count, tokens[position] == token else { return false }
        position += 1
        return true
    }

    // MARK: Words

    /// Parentheses count at the ends of a word alone, for `%(name)s` has them too.
    private static func tokens(_ text: String) throws(PolicyError) -> [Token] {
        var tokens: [Token] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let inner = word.drop { $0 == "(" }
            tokens += Array(repeating: .left, count: word.count - inner.count)
            var core = inner
            while core.last == ")" { core.removeLast() }
            switch core.lowercased() {
            case "": break
            case "and": tokens.append(.and)
            case "or": tokens.append(.or)
            case "not": tokens.append(.not)
            default:
                guard let first = core.first, !((first == "'" || first == "\"") && core.last == first) else {
                    throw PolicyError(.syntax, "\(core) is a text alone; compare it, as in \(core):%(project_id)s")
                }
                tokens.append(.check(String(core)))
            }
            tokens += Array(repeating: .right, count: inner.count - core.count)
        }
        return tokens
    }

    private mutating func check(_ text: String) throws(PolicyError) -> PolicyCheck {
        if text == "@" { return .always }
        if text == "!" { return .never }
        guard let colon = text.firstIndex(of: ":") else {
            throw PolicyError(.syntax, "'\(text)' is no check: they look like role:admin, rule:name, @ or !")
        }
        let (kind, match) = (String(text[..<colon]), String(text[colon...].dropFirst()))
        switch kind {
        case "rule":
            guard !match.isEmpty else { throw PolicyError(.syntax, "'rule:' needs a rule's name behind it") }
            return .rule(match)
        case "http", "https":
            throw PolicyError(
                .unsupported,
                "'\(kind):' asks another server, which this service does not do; use roles, rules and attributes")
        case "": throw PolicyError(.syntax, "'\(text)' has nothing before its ':'")
        default: break
        }
        let template = try PolicyTemplate(match)
        for name in template.unknownNames {
            warnings.append("'\(text)' never holds: targets have no '\(name)'")
        }
        if kind == "role" {
            guard !match.isEmpty else { throw PolicyError(.syntax, "'role:' needs a role's name behind it") }
            return .role(template, text: text)
        }
        if let literal = PolicyLiteral.text(kind) { return .literal(literal, template, text: text) }
        if let name = PolicyCredentials.Name.byText[kind] { return .credential(name, template, text: text) }
        warnings.append("'\(text)' never holds: callers have no '\(kind)'")
        return .never
    }
}
