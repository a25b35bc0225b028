// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost
import StateStore

/// The access rules of one instance as a security group, whose id is the instance's.
///
/// An instance that everybody may connect to has one rule for `0.0.0.0/0`. Source: REST contract §18.
struct SecurityGroup: Sendable {
    static let everybody = "0.0.0.0/0"

    let summary: InstanceSummary
    /// TCP ports of the engine; empty: its plugin cannot say.
    let ports: [Int]

    var id: String { summary.instance.id }

    /// Networks that have rules.
    var networks: [String] { Self.networks(summary.instance.access) }

    static func networks(_ access: JSONValue?) -> [String] {
        let allowed = AccessRules(access).allowed
        return allowed.isEmpty ? [everybody] : allowed
    }

    /// One rule.
    struct Rule: Sendable, Hashable {
        let id: String
        let cidr: String
        let firstPort: Int
        let lastPort: Int
    }

    /// One rule a network and port.
    var rules: [Rule] { networks.flatMap(rules(of:)) }

    func rules(of cidr: String) -> [Rule] {
        guard !ports.isEmpty else {
            return [Rule(id: "\(id)-\(Self.mark(cidr))-all", cidr: cidr, firstPort: 1, lastPort: 65535)]
        }
        return ports.map { port in
            Rule(id: "\(id)-\(Self.mark(cidr))-\(port)", cidr: cidr, firstPort: port, lastPort: port)
        }
    }

    /// Instance and mark of the network in a rule's id `<instance>-<16 hexadecimal digits>-<port>`; nil for another text.
    static func parts(ofRule id: String) -> (instanceID: String, mark: String)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count > 2, parts[parts.count - 2].utf8.count == 16 else { return nil }
        return (parts.dropLast(2).joined(separator: "-"), String(parts[parts.count - 2]))
    }

    static func mark(_ cidr: String) -> String { StableHash.digits(cidr.utf8) }
}

/// Loads security groups.
struct SecurityGroupLookup: Sendable {
    let call: APICall

    /// Those of the project's instances.
    func all(ofProject projectID: String) async throws -> [SecurityGroup] {
        let (summaries, versions) = try await call.services.store.read { transaction in
            let summaries = try transaction.instances.page(projectID: projectID, after: nil, limit: Int(Int32.max))
            return (summaries, try Self.versions(summaries, transaction))
        }
        return await groups(summaries, versions)
    }

    /// The one of an instance. Throws 404, 403.
    func find(_ id: String, rule: String) async throws -> SecurityGroup {
        let (summary, versions) = try await call.services.store.read { transaction in
            let summary = try Self.instance(id, rule: rule, call, transaction)
            return (summary, try Self.versions([summary], transaction))
        }
        guard let group = await groups([summary], versions).first else { throw Self.missing(id) }
        return group
    }

    /// As `APICall.instance`, in a group's words.
    static func instance(
        _ id: String, rule: String, _ call: APICall, _ transaction: any StateTransaction
    ) throws -> InstanceSummary {
        guard let summary = try transaction.instances.summary(id),
            call.context.isAdmin || summary.instance.projectID == call.context.projectID
        else { throw missing(id) }
        try call.require(rule, owner: summary.instance.projectID)
        return summary
    }

    static func missing(_ id: String) -> APIFault {
        APIFault(.notFound, "Security group \(id) could not be found.")
    }

    private static func versions(
        _ summaries: [InstanceSummary], _ transaction: any StateTransaction
    ) throws -> [String: DatastoreVersionRecord] {
        let ids = Set(summaries.map(\.instance.datastoreVersionID))
        return try ids.reduce(into: [:]) { $0[$1] = try transaction.datastores.version($1) }
    }

    private struct Engine: Hashable {
        var plugin: String
        var version: String
    }

    /// Each engine's plugin is asked once.
    private func groups(
        _ summaries: [InstanceSummary], _ versions: [String: DatastoreVersionRecord]
    ) async -> [SecurityGroup] {
        var known: [Engine: [Int]] = [:]
        var groups: [SecurityGroup] = []
        for summary in summaries {
            let version = versions[summary.instance.datastoreVersionID]
            let plugin = summary.instance.plugins["datastore"] ?? version?.plugins["datastore"]
            let engine = Engine(plugin: plugin?.stringValue ?? "", version: summary.datastoreVersionName)
            let ports: [Int]
            if let found = known[engine] { ports = found } else { ports = await self.ports(engine) }
            known[engine] = ports
            groups.append(SecurityGroup(summary: summary, ports: ports))
        }
        return groups
    }

    private func ports(_ engine: Engine) async -> [Int] {
        let answer = try? await call.services.plugins.policy(
            engine.plugin, .requirements, ["version": .string(engine.version)], call.policyOptions)
        return (answer?["ports"]?.arrayValue ?? []).compactMap(\.intValue)
    }
}
