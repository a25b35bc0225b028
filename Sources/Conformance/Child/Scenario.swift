// SPDX-License-Identifier: Apache-2.0

import Model

/// One step of a group: what is tried, and which check it decides.
struct Scenario {
    /// The check that fails if the process ends or hangs here.
    var check: String
    /// What is called, for messages.
    var target: String
    /// Seconds after which the parent ends the child.
    var limit = 10
    var run: () throws -> Void
}

/// Groups of checks; each runs in a child process of its own.
enum Group: String, CaseIterable, Sendable {
    case link, load, requires, datastore, policy, backup, routes, actions, modules, peer, tls
    /// Only with a real engine: what the policy says about it, and its life.
    case answers, engine

    /// Groups that run for every plugin that provides their extension.
    static let extensions: [Group] = [.datastore, .policy, .backup, .routes, .actions, .modules, .peer, .tls]

    /// The extension that the group is about.
    var extensionID: String? {
        switch self {
        case .link, .load, .requires, .answers, .engine: nil
        case .datastore: "trove.datastore/1"
        case .policy: "trove.datastore-policy/1"
        case .backup: "trove.backup/1"
        case .routes: "trove.api-extension/1"
        case .actions: "trove.actions/1"
        case .modules: "trove.module-driver/1"
        case .peer: "trove.rpc-peer/1"
        case .tls: "trove.tls/1"
        }
    }

    /// How functions of the group are named, e.g. `datastore.create_users`.
    var prefix: String {
        switch self {
        case .routes: "route"
        case .actions: "action"
        case .modules: "module"
        default: rawValue
        }
    }
}
