// SPDX-License-Identifier: Apache-2.0

package import Model

/// Why a plugin is not used.
package struct PluginRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong, for counting.
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        /// No directory offers the plugin.
        case notFound = "not_found"
        case manifest
        /// Owner or mode of a file or of a directory on its way.
        case permission
        case hash
        /// The operator's pin for it is another digest, or there is none.
        case pin
        /// No signature, a wrong one, or trusted keys that cannot be used.
        case signature
        /// No report of the conformance kit, or one with findings.
        case conformance
        /// The manifest asks for what this host or role does not offer.
        case requirement
        /// The operator's settings do not fit the plugin's schema.
        case settings
        /// The trial in a child failed.
        case probe
        case dlopen
        case entry
        /// Magic, table size or major version.
        case abi
        /// Manifest and library disagree.
        case mismatch
        /// A table that lacks something it must have.
        case table
        case initialization = "init"
        /// Another plugin has the same route.
        case clash
        /// Trapped while it was loaded.
        case crashed
        /// Another plugin of the same id and version came first; this is a warning.
        case shadowed
    }

    /// The file or directory that is refused.
    package var path: String
    /// The plugin's id, as far as it is known.
    package var id: String?
    package var cause: Cause
    /// One sentence: what is wrong, and where.
    package var message: String

    package init(path: String, id: String? = nil, cause: Cause, message: String) {
        self.path = path
        self.id = id
        self.cause = cause
        self.message = message
    }

    package var description: String { "\(path): \(cause.rawValue): \(message)" }
}

extension PluginRefusal {
    package var json: JSONValue {
        .object([
            "path": .string(path), "id": .optional(id), "cause": .string(cause.rawValue), "message": .string(message),
        ])
    }

    package init(json: JSONValue) {
        self.init(
            path: json["path"]?.stringValue ?? "",
            id: json["id"]?.stringValue,
            cause: json["cause"]?.stringValue.flatMap(Cause.init(rawValue:)) ?? .manifest,
            message: json["message"]?.stringValue ?? ""
        )
    }
}
