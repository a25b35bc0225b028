// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What a process of the control plane does.
enum Role: String, CaseIterable, Sendable, ExpressibleByArgument {
    case api, taskmanager, conductor

    static let all = Set(allCases)

    /// Names in a fixed order, apart by commas.
    static func text(_ roles: Set<Role>) -> String {
        allCases.filter(roles.contains).map(\.rawValue).joined(separator: ",")
    }
}
