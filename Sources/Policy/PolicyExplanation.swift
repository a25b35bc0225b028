// SPDX-License-Identifier: Apache-2.0

/// Why a rule holds or not, in lines: each check with what came of it, what it asks for further in.
package struct PolicyExplanation: Sendable {
    package struct Line: Sendable, Hashable {
        /// 0 for the rule itself.
        package var depth: Int
        package var text: String
        package var holds: Bool
    }

    package var isAllowed: Bool
    /// Without those that could not change the outcome any more.
    package var lines: [Line]
}

extension PolicyRules {
    /// Decides as `allows` does, and says how.
    package func explain(
        _ rule: String, _ caller: PolicyCredentials, _ target: PolicyTarget
    ) -> PolicyExplanation {
        let name = named(rule) == nil ? PolicyDefaults.fallback : rule
        var lines: [PolicyExplanation.Line] = []
        let holds = explain(.rule(name), caller, target, depth: 0, &lines)
        return PolicyExplanation(isAllowed: holds, lines: lines)
    }

    @discardableResult
    private func explain(
        _ check: PolicyCheck, _ caller: PolicyCredentials, _ target: PolicyTarget, depth: Int,
        _ lines: inout [PolicyExplanation.Line]
    ) -> Bool {
        let outcome = holds(check, caller, target)
        lines.append(PolicyExplanation.Line(depth: depth, text: check.text, holds: outcome))
        switch check {
        case .rule(let name):
            if let inner = named(name) { explain(inner, caller, target, depth: depth + 1, &lines) }
        case .not(let inner): explain(inner, caller, target, depth: depth + 1, &lines)
        case .all(let checks):
            for check in checks where !explain(check, caller, target, depth: depth + 1, &lines) { break }
        case .any(let checks):
            for check in checks where explain(check, caller, target, depth: depth + 1, &lines) { break }
        default: break
        }
        return outcome
    }
}
