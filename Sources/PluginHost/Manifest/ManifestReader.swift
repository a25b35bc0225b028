// SPDX-License-Identifier: Apache-2.0

import Model

/// Reads and checks `plugin.json`. Strict where a wrong value would load the wrong code; unknown members are ignored.
struct ManifestReader {
    /// The manifest's path, for messages.
    let path: String

    /// - Throws: `PluginRefusal` with cause `manifest`, naming file and field.
    func read(_ bytes: [UInt8]) throws(PluginRefusal) -> PluginManifest {
        let root: JSONValue
        do { root = try JSONValue(parsing: bytes, maximumDepth: 16) } catch { throw refuse(nil, error.message) }
        guard root.objectValue != nil else { throw refuse(nil, "the document is not an object") }
        guard root["manifest"]?.intValue == 1 else { throw refuse("manifest", "must be 1") }
        let id = try text(root, "id")
        guard Self.isIdentifier(id) else {
            throw refuse("id", "must be a reverse domain name of at most 127 letters, digits, '.', '-' and '_'")
        }
        let version = try text(root, "version")
        guard Self.isVersion(version) else { throw refuse("version", "must be a semantic version, e.g. 1.4.0") }
        let roles = try roles(root)
        let provides = try identifiers(root, "provides", isRequired: true)
        let actions = try actions(root, roles: roles)
        guard actions.isEmpty || provides.contains("trove.actions/1") else {
            throw refuse("provides", "does not name trove.actions/1, and there are actions")
        }
        let kinds = try backupKinds(root, provides: provides)
        return PluginManifest(
            id: id,
            version: version,
            summary: try text(root, "summary"),
            library: try library(root),
            roles: roles,
            provides: provides,
            requires: try identifiers(root, "requires", isRequired: false),
            datastores: try datastores(root),
            routeWords: try routes(root),
            actions: actions,
            configurationSchema: try configurationSchema(root),
            licence: try text(root, "licence"),
            swift: try swift(root),
            canDryRun: try dryRun(root),
            backupKinds: kinds
        )
    }

    /// `"config_schema": "config.schema.json"`.
    private func configurationSchema(_ root: JSONValue) throws(PluginRefusal) -> String? {
        guard let value = root["config_schema"] else { return nil }
        guard let file = value.stringValue, Self.isPathComponent(file) else {
            throw refuse("config_schema", "must be the name of a file beside the manifest")
        }
        return file
    }

    /// `"dry_run": true`; false without the member.
    private func dryRun(_ root: JSONValue) throws(PluginRefusal) -> Bool {
        guard let value = root["dry_run"] else { return false }
        guard case .bool(let canDryRun) = value else { throw refuse("dry_run", "must be true or false") }
        return canDryRun
    }

    private func library(_ root: JSONValue) throws(PluginRefusal) -> PluginManifest.Library {
        guard let library = root["library"], library.objectValue != nil else {
            throw refuse("library", "must be an object")
        }
        let file = try text(library, "file", in: "library.")
        guard Self.isPathComponent(file) else {
            throw refuse("library.file", "must be the name of a file beside the manifest")
        }
        let digest = try text(library, "sha256", in: "library.")
        guard digest.utf8.count == 64, digest.utf8.allSatisfy(Self.isLowerHex) else {
            throw refuse("library.sha256", "must be 64 lower-case hexadecimal digits")
        }
        let abi = try text(library, "abi", in: "library.").split(separator: ".", omittingEmptySubsequences: false)
        guard abi.count == 2, let major = UInt16(abi[0]), let minor = UInt16(abi[1]) else {
            throw refuse("library.abi", "must be MAJOR.MINOR, e.g. 1.0")
        }
        return PluginManifest.Library(
            file: file, sha256: digest, abiMajor: Int(major), abiMinor: Int(minor),
            platform: try text(library, "platform", in: "library.")
        )
    }

    private func roles(_ root: JSONValue) throws(PluginRefusal) -> Set<PluginRole> {
        var roles: Set<PluginRole> = []
        for name in try texts(root["roles"], "roles") {
            guard let role = PluginRole(rawValue: name) else {
                throw refuse("roles", "'\(name)' is not one of guest, control")
            }
            roles.insert(role)
        }
        guard !roles.isEmpty else { throw refuse("roles", "must name at least one of guest, control") }
        return roles
    }

    private func identifiers(
        _ root: JSONValue, _ field: String, isRequired: Bool
    ) throws(PluginRefusal) -> [String] {
        guard let value = root[field] else {
            if isRequired { throw refuse(field, "is missing") }
            return []
        }
        let ids = try texts(value, field)
        guard !isRequired || !ids.isEmpty else { throw refuse(field, "must not be empty") }
        guard Set(ids).count == ids.count else { throw refuse(field, "names an extension twice") }
        for id in ids {
            let parts = id.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, Self.isIdentifier(String(parts[0])), UInt16(parts[1]) != nil else {
                throw refuse(field, "'\(id)' is not an extension id such as trove.datastore/1")
            }
        }
        return ids
    }

    private func swift(_ root: JSONValue) throws(PluginRefusal) -> String? {
        guard let value = root["swift"] else { return nil }
        let parts = (value.stringValue ?? "").split(separator: ".", omittingEmptySubsequences: false)
        guard let text = value.stringValue, parts.count == 2, parts.allSatisfy({ UInt16($0) != nil }) else {
            throw refuse("swift", "must be MAJOR.MINOR, e.g. 6.3")
        }
        return text
    }

    func text(_ object: JSONValue, _ field: String, in prefix: String = "") throws(PluginRefusal) -> String {
        guard let value = object[field] else { throw refuse(prefix + field, "is missing") }
        guard let text = value.stringValue, !text.isEmpty else { throw refuse(prefix + field, "must be text") }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw refuse(prefix + field, "contains control characters")
        }
        return text
    }

    func texts(_ value: JSONValue?, _ field: String) throws(PluginRefusal) -> [String] {
        guard let items = value?.arrayValue else { throw refuse(field, "must be a list of text") }
        var texts: [String] = []
        for item in items {
            guard let text = item.stringValue, !text.isEmpty else { throw refuse(field, "must be a list of text") }
            texts.append(text)
        }
        return texts
    }

    func refuse(_ field: String?, _ reason: String) -> PluginRefusal {
        PluginRefusal(
            path: path, cause: .manifest, message: Self.shown(field.map { "\($0): \(reason)" } ?? reason))
    }

    /// What a manifest says, and a sentence repeats, stays on one line of a log.
    private static func shown(_ text: String) -> String {
        let limit = 512
        var scalars = String.UnicodeScalarView(
            text.unicodeScalars.prefix(limit).map { $0.properties.generalCategory == .control ? "?" : $0 })
        if text.unicodeScalars.count > limit { scalars.append("…") }
        return String(scalars)
    }
}

extension ManifestReader {
    /// Whether a name stays in its directory.
    static func isPathComponent(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
            && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
    }

    /// Letters, digits, '.', '-', '_'; starts with a letter; no empty part between dots.
    static func isIdentifier(_ text: String) -> Bool {
        guard text.utf8.count <= 127 else { return false }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2 else { return false }
        return parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
    }

    /// Source: semver.org 2.0.0, rules 2, 9 and 10.
    static func isVersion(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        let plus = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        let core = plus[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = core[0].split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3,
            numbers.allSatisfy({ number in
                !number.isEmpty && number.utf8.allSatisfy(isDigit) && (number.count == 1 || number.first != "0")
            })
        else { return false }
        return (core.dropFirst() + plus.dropFirst()).allSatisfy { suffix in
            suffix.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLowerHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
