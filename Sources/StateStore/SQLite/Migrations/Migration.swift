// SPDX-License-Identifier: Apache-2.0

/// One step of the schema. A released migration never changes; a later one corrects it.
struct Migration: Sendable {
    /// Ascending from 1, without gaps.
    let number: Int
    let name: String
    /// Applied in order, in one transaction.
    let statements: [String]

    /// Every migration of the SQLite driver, ascending.
    static let sqlite: [Migration] = [
        .firstRelease, .pluginValues, .sharedWork, .admission, .management, .configurationGroups,
        .clusters, .modules, .operationEvents, .engineTLS, .secrets,
    ]
}
