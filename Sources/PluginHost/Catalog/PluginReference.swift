// SPDX-License-Identifier: Apache-2.0

package import Model

/// How configuration and datastore files name a plugin: `id`, or `id@version`.
package struct PluginReference: Sendable, Hashable, CustomStringConvertible {
    package let id: String
    package let version: String?

    package init(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        id = String(parts[0])
        version = parts.count == 2 ? String(parts[1]) : nil
    }

    package func matches(_ manifest: PluginManifest) -> Bool {
        id == manifest.id && (version == nil || version == manifest.version)
    }

    /// Whether both can mean the same plugin: one without a version means any.
    package func overlaps(_ other: PluginReference) -> Bool {
        id == other.id && (version == nil || other.version == nil || version == other.version)
    }

    package var description: String { version.map { "\(id)@\($0)" } ?? id }
}

extension PluginManifest {
    /// `id@version`.
    package var reference: String { "\(id)@\(version)" }
}

extension PluginReference {
    /// Every reference in a record's plugins, `{role: text or [text]}`.
    package static func all(in plugins: JSONValue) -> [String] {
        (plugins.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { _, value in
            value.stringValue.map { [$0] } ?? (value.arrayValue ?? []).compactMap(\.stringValue)
        }
    }

    /// A record's plugins with each reference changed.
    package static func map(_ plugins: JSONValue, _ change: (String) -> String) -> JSONValue {
        .object(
            (plugins.objectValue ?? [:]).mapValues { value in
                if let text = value.stringValue { return .string(change(text)) }
                guard let items = value.arrayValue else { return value }
                return .array(items.map { item in item.stringValue.map { .string(change($0)) } ?? item })
            })
    }
}
