// SPDX-License-Identifier: Apache-2.0

import API
import Model
import PluginHost

/// What the operator sees of the plugins, whether a control plane runs or not.
struct PluginListing {
    struct Entry {
        var candidate: PluginCandidate
        /// nil when it is refused.
        var inspection: PluginInspection?
        var refusal: PluginRefusal?
        /// One word: `active`, `available`, `not enabled`, `disabled`, `quarantined`, `refused`.
        var status: String
        var isActive: Bool
        var quarantine: PluginState.Quarantine?
        /// Whether the control plane that runs has it mapped; nil when none runs.
        var isInUse: Bool?
        var usage: PluginUsage
    }

    let entries: [Entry]
    /// Files that are no plugins, and what the control plane refused.
    let refusals: [PluginRefusal]

    init(_ operation: PluginOperator) async throws {
        let catalog = operation.scan()
        let catalogue = operation.catalogue
        let decisions = catalogue.decisions
        let references = try await operation.references()
        let status = PluginStatus.any(operation.home)
        let disabled = catalogue.disabledPlugins.map { PluginReference($0) }
        let enabled = Set(catalogue.enabledPlugins.map { PluginReference($0).id })
        var entries: [Entry] = []
        var refusals = catalog.refusals
        for candidate in catalog.candidates {
            let manifest = candidate.manifest
            let reference = PluginReference(manifest.reference)
            let isActive = operation.activeVersion(manifest.id, decisions, catalog) == manifest.version
            let inspection: PluginInspection?
            var refusal: PluginRefusal?
            do throws(PluginRefusal) {
                inspection = try PluginInspection.verify(candidate, trust: catalogue.plugins.trust)
            } catch {
                inspection = nil
                refusal = error
            }
            let quarantine = decisions.quarantine[manifest.reference]
            // What only a load can find out, the control plane has.
            let later = status?.refusals.last { $0.path == candidate.libraryPath }
            refusal = refusal ?? later
            let word =
                refusal != nil
                ? "refused"
                : quarantine != nil
                    ? "quarantined"
                    : disabled.contains { $0.matches(manifest) }
                        ? "disabled"
                        : !enabled.contains(manifest.id) ? "not enabled" : isActive ? "active" : "available"
            let isLast = catalog.candidates.count { $0.manifest.id == manifest.id } < 2
            entries.append(
                Entry(
                    candidate: candidate, inspection: inspection, refusal: refusal, status: word, isActive: isActive,
                    quarantine: quarantine,
                    isInUse: status.map { $0.plugins.contains { $0.reference == manifest.reference } },
                    usage: references?.usage(of: reference, isActive: isActive, isLast: isLast) ?? PluginUsage()))
            if let refusal { refusals.append(refusal) }
        }
        for refusal in status?.refusals ?? [] where !refusals.contains(refusal) { refusals.append(refusal) }
        self.entries = entries.sorted {
            ($0.candidate.manifest.id, $0.candidate.manifest.version) < (
                $1.candidate.manifest.id, $1.candidate.manifest.version
            )
        }
        self.refusals = refusals
    }

    /// Counts by cause.
    var causes: [(cause: String, count: Int)] {
        Dictionary(grouping: refusals, by: \.cause.rawValue).map { ($0.key, $0.value.count) }.sorted { $0.0 < $1.0 }
    }

    var json: JSONValue {
        [
            "plugins": .array(entries.map(\.json)), "refusals": .array(refusals.map(\.json)),
            "refusals_by_cause": .object(
                Dictionary(uniqueKeysWithValues: causes.map { ($0.cause, .int(Int64($0.count))) })),
        ]
    }
}

extension PluginListing.Entry {
    var json: JSONValue {
        let manifest = candidate.manifest
        return [
            "id": .string(manifest.id), "version": .string(manifest.version), "summary": .string(manifest.summary),
            "status": .string(status), "active": .bool(isActive), "in_use": isInUse.map(JSONValue.bool) ?? .null,
            "directory": .string(candidate.directory), "sha256": .optional(inspection?.sha256),
            "signer": .optional(inspection?.signer),
            "roles": .array(manifest.roles.map(\.rawValue).sorted().map(JSONValue.string)),
            "provides": .array(manifest.provides.map(JSONValue.string)),
            "requires": .array(manifest.requires.map(JSONValue.string)), "licence": .string(manifest.licence),
            "refusal": refusal?.json ?? .null,
            "quarantine": quarantine.map {
                ["reason": .string($0.reason), "since": .string($0.since.description)]
            } ?? .null,
            "used_by": [
                "instances": .array(usage.instances.map(JSONValue.string)),
                "datastore_versions": .array(usage.datastoreVersions.map(JSONValue.string)),
                "backups": .array(usage.backups.map(JSONValue.string)),
            ],
        ]
    }
}
