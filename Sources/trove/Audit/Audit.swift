// SPDX-License-Identifier: Apache-2.0

import BrokerAccounts
import Compute
import Model
import ObjectStore
import StateStore

/// The difference between the ledger and the host.
struct Audit {
    struct Finding: Sendable, Hashable, CustomStringConvertible {
        enum Verdict: String, Sendable { case stray, missing }
        var verdict: Verdict
        var kind: String
        var tag: String
        var ownerID: String?

        var description: String {
            let owner = ownerID.map { " of \($0)" } ?? ""
            return switch verdict {
            case .stray: "stray \(kind) \(tag)\(owner): it is here, and the ledger does not own it"
            case .missing: "missing \(kind) \(tag)\(owner): the ledger owns it, and it is not here"
            }
        }
    }

    private struct Key: Hashable {
        var kind: String
        var tag: String
    }

    let store: any StateStore
    let compute: any ComputeDriver
    let objects: any ObjectStore
    /// nil: accounts at the broker are not looked at.
    var accounts: (any BrokerAdministration)?

    /// What is different, strays first. Resources of an instance or backup with a live operation are in motion and left out.
    func run() async throws -> [Finding] {
        let before = try await ledger()
        var present = Dictionary(
            try await compute.inventory().map { (Key(kind: $0.kind, tag: $0.tag), $0.ownerID) },
            uniquingKeysWith: { first, _ in first }
        )
        for name in try objects.list() {
            present[Key(kind: "object", tag: name)] = name.split(separator: "/").last.map(String.init)
        }
        for id in try await accounts?.instances() ?? [] {
            present[Key(kind: LedgerEntry.busUser, tag: GuestAccount.user(id))] = id
        }
        let after = try await ledger()
        let moving = before.moving.union(after.moving)
        let owned = before.entries.merging(after.entries) { $1 }
        let adopted = Set(before.adopted.union(after.adopted).map { Key(kind: "object", tag: $0) })
        let strays = present.filter {
            owned[$0.key] == nil && !adopted.contains($0.key) && !moving.contains($0.value ?? "")
        }
        .map { Finding(verdict: .stray, kind: $0.key.kind, tag: $0.key.tag, ownerID: $0.value) }
        let missing = owned.filter {
            present[$0.key] == nil && before.entries[$0.key] != nil && after.entries[$0.key] != nil
                && !moving.contains($0.value)
        }.map { Finding(verdict: .missing, kind: $0.key.kind, tag: $0.key.tag, ownerID: $0.value) }
        return strays.sorted(by: Self.order) + missing.sorted(by: Self.order)
    }

    private static func order(_ left: Finding, _ right: Finding) -> Bool {
        (left.kind, left.tag) < (right.kind, right.tag)
    }

    /// What the ledger has on this host, or at all where instances have no host.
    ///
    /// Objects that backups were taken over from are used here, and nobody's here.
    private func ledger() async throws -> (entries: [Key: String], moving: Set<String>, adopted: Set<String>) {
        let (host, hasAccounts, objects) = (compute.host, accounts != nil, objects)
        return try await store.read { transaction in
            let elsewhere = Set(
                try transaction.instances.all().filter { $0.computeHost != nil && $0.computeHost != host }.map(\.id))
            // The broker has the accounts of all hosts.
            let entries = try transaction.ledger.all().filter { entry in
                entry.kind == LedgerEntry.busUser ? hasAccounts : host == nil || !elsewhere.contains(entry.ownerID)
            }
            .map { (Key(kind: $0.kind, tag: $0.tag), $0.ownerID) }
            let moving = try transaction.journal.live(resourceID: nil).map(\.resourceID)
            let adopted = try transaction.backups.all().filter { $0.state == .restored }
                .compactMap { $0.location.flatMap(objects.name(location:)) }
            return (Dictionary(entries, uniquingKeysWith: { $1 }), Set(moving), Set(adopted))
        }
    }
}
