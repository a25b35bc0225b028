// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a plugin must show before its code is loaded.
package struct PluginTrust: Sendable, Hashable {
    /// How the library's digest is judged.
    package enum Digest: String, Sendable, Hashable, CaseIterable {
        /// Not at all; for development.
        case off
        /// It must be the manifest's.
        case manifest
        /// It must be the manifest's and the one that the operator's configuration has for `id@version`.
        case pinned
        /// It must be the manifest's, and the manifest must be signed with a trusted key.
        case signed
    }

    /// Whether a report of the conformance kit is needed.
    package enum Conformance: String, Sendable, Hashable, CaseIterable {
        case none
        /// A report about this digest that found nothing must be on record.
        case required
    }

    package var digest: Digest
    /// SHA-256 (64 lower-case hexadecimal digits) by `id@version`.
    package var pins: [String: String]
    /// Directory of `*.pem` files with Ed25519 public keys; empty: no keys.
    package var keys: String
    package var conformance: Conformance
    /// Directory of reports, `<sha256>.json`; empty: none on record.
    package var reports: String
    /// Directory where trial loads that went well are remembered for every process; empty: each process tries by itself.
    package var probed: String

    package init(
        digest: Digest = .manifest, pins: [String: String] = [:], keys: String = "",
        conformance: Conformance = .none, reports: String = "", probed: String = ""
    ) {
        self.digest = digest
        self.pins = pins
        self.keys = keys
        self.conformance = conformance
        self.reports = reports
        self.probed = probed
    }

    /// `{"digest", "pins", "keys", "conformance", "reports", "probed"}`.
    package var json: JSONValue {
        [
            "digest": .string(digest.rawValue), "pins": .object(pins.mapValues(JSONValue.string)),
            "keys": .string(keys), "conformance": .string(conformance.rawValue), "reports": .string(reports),
            "probed": .string(probed),
        ]
    }

    /// Reads `json`; what is absent has its default.
    ///
    /// - Throws: `invalidArgument` naming the member. Nothing unknown is taken for the default: it might mean less trust.
    package init(json: JSONValue) throws(PluginError) {
        self.init()
        guard json.objectValue != nil else { throw Self.wrong("trust", "an object") }
        if let value = json["digest"] {
            guard let mode = value.stringValue.flatMap(Digest.init(rawValue:)) else {
                throw Self.wrong("trust.digest", "one of off, manifest, pinned, signed")
            }
            digest = mode
        }
        if let value = json["conformance"] {
            guard let mode = value.stringValue.flatMap(Conformance.init(rawValue:)) else {
                throw Self.wrong("trust.conformance", "none or required")
            }
            conformance = mode
        }
        for (reference, value) in json["pins"]?.objectValue ?? [:] {
            guard let text = value.stringValue, Self.isDigest(text) else {
                throw Self.wrong("trust.pins.\(reference)", "64 lower-case hexadecimal digits")
            }
            pins[reference] = text
        }
        keys = try Self.path(json, "keys")
        reports = try Self.path(json, "reports")
        probed = try Self.path(json, "probed")
    }

    /// Whether a text can be a SHA-256 as manifests and configuration write it.
    package static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func path(_ json: JSONValue, _ name: String) throws(PluginError) -> String {
        guard let value = json[name] else { return "" }
        guard let text = value.stringValue, text.isEmpty || text.hasPrefix("/") else {
            throw wrong("trust.\(name)", "an absolute path")
        }
        return text
    }

    private static func wrong(_ member: String, _ expected: String) -> PluginError {
        PluginError(.invalidArgument, "\(member): must be \(expected)")
    }
}
