// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The rules in force; an operator's file may replace them while requests are answered.
package final class PolicyStore: Sendable {
    private let rules: Mutex<PolicyRules>

    package init(_ rules: PolicyRules = PolicyRules()) { self.rules = Mutex(rules) }

    package var current: PolicyRules { rules.withLock { $0 } }

    package func replace(_ rules: PolicyRules) { self.rules.withLock { $0 = rules } }
}
