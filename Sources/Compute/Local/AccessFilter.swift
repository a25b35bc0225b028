// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model

/// The packet filter of one home: an nftables table with a chain for each instance that not everybody may connect to.
///
/// The table is replaced as a whole in one transaction, so that it is always what the records on disk say. Packets to a
/// restricted instance pass when they come from its own control group (its agent asks the engine over the network, and the
/// engine answers itself) or from an allowed network; other connections are refused, and ended when they exist already.
/// Senders on this host are judged as they send, where it is known whose socket it is; others as their packets arrive.
/// Source: nft(8).
struct AccessFilter: Sendable {
    /// What the chain of one instance is made of.
    struct Entry: Sendable, Hashable {
        var instanceID: String
        var address: String
        var allowed: [IPv4Network]
        /// Whether its control group exists by now.
        var hasGroup: Bool
    }

    let paths: LocalPaths
    /// Where the unified hierarchy is mounted; nil without one.
    let unifiedRoot: String?
    let isPrivileged: Bool

    private static let programs = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"]
    /// nft(8) looks for control groups from here on.
    private static let groupsRoot = "/sys/fs/cgroup"
    private static let patience = Duration.seconds(20)

    var table: String { "trove_\(paths.homeDigest)" }
    func chain(_ id: String) -> String { "i-\(id)" }
    /// As the ledger names it.
    func tag(_ id: String) -> String { "\(table)/\(chain(id))" }

    private var program: String? { Self.programs.first { access($0, X_OK) == 0 } }

    /// Whether there may be a table at all.
    var isPresent: Bool { isPrivileged && program != nil }

    /// Why this host cannot enforce access rules; nil when it can.
    func refusal() -> String? {
        guard isPrivileged else {
            return "access rules need root, and this control plane runs as an ordinary user"
        }
        guard let program else { return "access rules need the program nft: install the package nftables" }
        guard groupPath("x") != nil else {
            return "access rules need the unified control group hierarchy (cgroup2) below \(Self.groupsRoot)"
        }
        let probe = Entry(
            instanceID: "probe", address: "127.0.0.1", allowed: [IPv4Network("10.0.0.0/8")].compactMap { $0 },
            hasGroup: false)
        do throws(ComputeError) {
            let file = "\(paths.homeRun)/access-check.nft"
            let extra =
                "add rule ip \(table) \(chain("probe")) socket cgroupv2 level 2 \"\(homeGroupPath ?? "")\" return\n"
            try HostFiles.writeAtomically(file, Array((ruleset([probe]) + extra).utf8))
            defer { unlink(file) }
            try ProcessLaunch.run([program, "--check", "-f", file], timeout: Self.patience)
            return nil
        } catch {
            return "access rules need a kernel with nftables: \(error.message)"
        }
    }

    /// Makes the table what `entries` say; without any there is none.
    func replace(_ entries: [Entry]) throws(ComputeError) {
        let file = "\(paths.homeRun)/access.nft"
        try HostFiles.makeDirectories(paths.homeRun, mode: 0o700)
        try HostFiles.writeAtomically(file, Array(ruleset(entries).utf8))
        defer { unlink(file) }
        try ProcessLaunch.run([try requireProgram(), "-f", file], timeout: Self.patience)
    }

    /// Ids of instances with a chain; nil when there is no table.
    func instances() throws(ComputeError) -> Set<String>? {
        guard isPresent else { return nil }
        let listing = try ProcessLaunch.output([try requireProgram(), "list", "chains", "ip"], timeout: Self.patience)
        var found: Set<String>?
        var isOurs = false
        for line in listing.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.first == "table" {
                isOurs = words.count > 2 && words[2] == table
                if isOurs { found = [] }
            } else if isOurs, words.count > 1, words[0] == "chain", words[1].hasPrefix("i-") {
                found?.insert(String(words[1].dropFirst(2)))
            }
        }
        return found
    }

    private func requireProgram() throws(ComputeError) -> String {
        guard let program else {
            throw ComputeError(.missing, "access rules need the program nft: install the package nftables")
        }
        return program
    }

    // MARK: Text

    private func groupPath(_ id: String) -> String? { groupPrefix.map { $0 + paths.group(id) } }
    private var homeGroupPath: String? { groupPrefix.map { $0 + paths.homeGroup } }

    /// What stands before a group's path for nft(8): the place of the unified hierarchy below `groupsRoot`.
    private var groupPrefix: String? {
        guard let unifiedRoot, unifiedRoot == Self.groupsRoot || unifiedRoot.hasPrefix(Self.groupsRoot + "/") else {
            return nil
        }
        let below = unifiedRoot.dropFirst(Self.groupsRoot.count).drop { $0 == "/" }
        return below.isEmpty ? "" : below + "/"
    }

    /// Number of path components of an instance's group.
    private static let groupLevel = 3

    /// The commands of one transaction. Every name in it is made of letters, digits, `-` and `_`.
    private func ruleset(_ entries: [Entry]) -> String {
        // Added before it is removed, or removing it would fail when there is none.
        var lines = ["add table ip \(table)", "delete table ip \(table)"]
        guard !entries.isEmpty else { return lines.joined(separator: "\n") + "\n" }
        lines += [
            "add table ip \(table)",
            "add map ip \(table) instances { type ipv4_addr : verdict; }",
            "add chain ip \(table) output { type filter hook output priority filter; policy accept; }",
            "add rule ip \(table) output ip daddr vmap @instances",
            "add chain ip \(table) input { type filter hook input priority filter; policy accept; }",
            "add rule ip \(table) input iifname != \"lo\" ip daddr vmap @instances",
        ]
        for entry in entries {
            let chain = "ip \(table) \(chain(entry.instanceID))"
            lines.append("add chain \(chain)")
            if entry.hasGroup, let group = groupPath(entry.instanceID) {
                lines.append("add rule \(chain) socket cgroupv2 level \(Self.groupLevel) \"\(group)\" return")
            }
            let networks = entry.allowed.map(\.text).joined(separator: ", ")
            lines += [
                "add rule \(chain) ip saddr { \(networks) } return",
                "add rule \(chain) meta l4proto tcp reject with tcp reset",
                "add rule \(chain) drop",
                "add element ip \(table) instances { \(entry.address) : jump \(self.chain(entry.instanceID)) }",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
