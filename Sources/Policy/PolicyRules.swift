// SPDX-License-Identifier: Apache-2.0

/// Every rule, read once: the defaults with what a file puts in their place.
package struct PolicyRules: Sendable {
    private let checks: [String: PolicyCheck]
    /// What the file says that can never hold, each with its rule.
    package let warnings: [String]

    /// The defaults alone.
    package init() {
        // The defaults are constant, and a test reads them all.
        do { try self.init([]) } catch { preconditionFailure("the default rules cannot be read: \(error)") }
    }

    /// The defaults with `overrides` in their place.
    ///
    /// A name that is no default's is a helper for `rule:`, or a plugin's: then its first part is not one of this service's.
    ///
    /// - Throws: `PolicyError` naming rule and line: text that is not of the language, names that nobody has, circles.
    package init(_ overrides: [PolicyOverride]) throws(PolicyError) {
        var checks: [String: PolicyCheck] = [:]
        var warnings: [String] = []
        for (name, text) in PolicyDefaults.rules {
            checks[name] = try Self.read(PolicyOverride(name: name, text: .text(text)), &warnings)
        }
        let defaults = Set(checks.keys)
        for rule in overrides { checks[rule.name] = try Self.read(rule, &warnings) }
        let asked = checks.values.reduce(into: Set<String>()) { $0.formUnion($1.references) }
        for rule in overrides where !defaults.contains(rule.name) && !asked.contains(rule.name) {
            try Self.requirePlugins(rule, defaults)
        }
        for (name, check) in checks.sorted(by: { $0.key < $1.key }) {
            let line = overrides.last { $0.name == name }?.line
            for other in check.references.sorted() where checks[other] == nil {
                throw PolicyError(
                    .unknownRule, rule: name, line: line,
                    "asks for 'rule:\(other)', which nobody has\(Self.hint(other, Set(checks.keys)))")
            }
            try Self.refuseCircle(from: name, line: line, checks)
        }
        self.checks = checks
        self.warnings = warnings
    }

    /// Names of all rules.
    package var names: [String] { checks.keys.sorted() }

    /// A rule's text, in one form; that of the fallback for a name without one.
    package func text(of rule: String) -> String { check(rule).text }

    /// Whether the caller may do `rule` to the target.
    package func allows(_ rule: String, _ caller: PolicyCredentials, _ target: PolicyTarget) -> Bool {
        holds(check(rule), caller, target)
    }

    /// Whether rule `context_is_admin` makes the caller an administrator, whatever the caller says of itself.
    package func makesAdministrator(_ caller: PolicyCredentials) -> Bool {
        var caller = caller
        caller.isAdmin = false
        return allows(PolicyDefaults.administrator, caller, PolicyTarget(projectID: caller.projectID))
    }

    private func check(_ rule: String) -> PolicyCheck { checks[rule] ?? checks[PolicyDefaults.fallback] ?? .never }

    func named(_ rule: String) -> PolicyCheck? { checks[rule] }

    func holds(_ check: PolicyCheck, _ caller: PolicyCredentials, _ target: PolicyTarget) -> Bool {
        switch check {
        case .always: true
        case .never: false
        case .role(let template, _): template.equalsRole(caller.roles, target)
        case .rule(let name): checks[name].map { holds($0, caller, target) } ?? false
        case .credential(let name, let template, _): caller.matches(name, template, target)
        case .literal(let text, let template, _): template.equals(text, target)
        case .not(let check): !holds(check, caller, target)
        case .all(let checks): checks.allSatisfy { holds($0, caller, target) }
        case .any(let checks): checks.contains { holds($0, caller, target) }
        }
    }

    // MARK: Reading

    private static func read(_ rule: PolicyOverride, _ warnings: inout [String]) throws(PolicyError) -> PolicyCheck {
        var parser = PolicyParser()
        do throws(PolicyError) {
            let check =
                switch rule.text {
                case .text(let text): try parser.parse(text)
                case .lists(let lists): try parser.parse(lists: lists)
                }
            warnings += parser.warnings.map { "rule '\(rule.name)': \($0)" }
            return check
        } catch {
            var error = error
            (error.rule, error.line) = (rule.name, rule.line)
            throw error
        }
    }

    private static func requirePlugins(_ rule: PolicyOverride, _ defaults: Set<String>) throws(PolicyError) {
        let noun = rule.name.prefix { $0 != ":" }
        let isOwn = defaults.contains { $0.hasPrefix(noun + ":") }
        guard isOwn || noun.count == rule.name.count else { return }
        throw PolicyError(
            .unknownRule, rule: rule.name, line: rule.line, "there is no such rule\(hint(rule.name, defaults))")
    }

    private static func refuseCircle(
        from name: String, line: Int?, _ checks: [String: PolicyCheck]
    ) throws(PolicyError) {
        var seen: Set<String> = []
        var next = checks[name]?.references ?? []
        while let other = next.popFirst() {
            guard other != name else {
                throw PolicyError(.cycle, rule: name, line: line, "asks for itself, by way of others or at once")
            }
            if seen.insert(other).inserted { next.formUnion(checks[other]?.references ?? []) }
        }
    }

    private static func hint(_ name: String, _ known: Set<String>) -> String {
        let nearest = known.sorted().map { (distance(name, $0), $0) }.min { $0.0 < $1.0 }
        guard let nearest, nearest.0 <= max(3, name.count / 3) else { return "; 'trove policy list' names them" }
        return "; did you mean '\(nearest.1)'?"
    }

    /// Letters to change, add or remove. Source: Levenshtein.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
