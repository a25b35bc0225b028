// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model
import PluginHost
import Yams

/// `plugins.yaml`: plugins that no datastore version names, what plugins are told, what is never loaded, and what plugins
/// must show before they are.
struct PluginFile: Sendable {
    var enabled: Set<String> = []
    var disabled: Set<String> = []
    /// Plugin id to the object it gets.
    var settings: [String: JSONValue] = [:]
    /// Directories of keys, reports and remembered trials are the home's unless the file says otherwise.
    var trust = PluginTrust()
    /// Plugin id to the servers that it may ask.
    var egress: [String: Set<EgressRule>] = [:]
    /// How plugins' requests leave this host.
    var http = HTTPClientConfiguration()

    static func read(_ path: String, home: Home) throws -> PluginFile {
        let file = try YAMLDocument(path: path)
        let members = try file.mapping(
            file.root, allowed: ["enabled", "disabled", "configuration", "trust", "egress", "http"],
            what: "the plugin file"
        )
        var result = PluginFile()
        for node in try file.sequence(members["enabled"], what: "'enabled'") {
            if let id = try file.text(node, what: "a plugin id") { result.enabled.insert(id) }
        }
        for node in try file.sequence(members["disabled"], what: "'disabled'") {
            if let id = try file.text(node, what: "a plugin id") { result.disabled.insert(id) }
        }
        if let node = members["configuration"] {
            guard case .object(let settings) = try file.json(node) else {
                throw file.error(node, "'configuration' must map plugin ids to objects")
            }
            for (id, value) in settings where value.objectValue == nil {
                throw file.error(node, "the configuration of \(id) must be an object")
            }
            result.settings = settings
        }
        result.trust = try trust(members["trust"], file, home)
        for (key, list) in members["egress"]?.mapping ?? [:] {
            guard let id = key.string else { throw file.error(key, "'egress' must map plugin ids to lists") }
            for node in try file.sequence(list, what: "'egress.\(id)'") {
                guard let rule = EgressRule(node.string ?? "") else {
                    throw file.error(
                        node,
                        "'egress.\(id)' has https://host or https://host:port (or http), not '\(node.string ?? "?")'")
                }
                result.egress[id, default: []].insert(rule)
            }
        }
        if let node = members["http"] { result.http = try http(node, file) }
        return result
    }

    /// `{proxy: http://host:port, ca_file: absolute path}`.
    private static func http(_ node: Node, _ file: YAMLDocument) throws -> HTTPClientConfiguration {
        var http = HTTPClientConfiguration()
        let members = try file.mapping(node, allowed: ["proxy", "ca_file"], what: "'http'")
        if let text = try file.text(members["proxy"], what: "'http.proxy'") {
            guard EgressRule(text) != nil else {
                throw file.error(members["proxy"], "'http.proxy' must be http://host:port, not '\(text)'")
            }
            http.proxy = text
        }
        if let text = try file.text(members["ca_file"], what: "'http.ca_file'") {
            guard text.hasPrefix("/") else {
                throw file.error(members["ca_file"], "'http.ca_file' must be an absolute path, not '\(text)'")
            }
            http.caFile = text
        }
        return http
    }

    /// `{digest: off|manifest|pinned|signed, pins: {"id@version": sha256}, keys: directory, conformance: none|required}`.
    private static func trust(_ node: Node?, _ file: YAMLDocument, _ home: Home) throws -> PluginTrust {
        var trust = PluginTrust(keys: home.trustedKeys, reports: home.pluginReports, probed: home.probedPlugins)
        guard let node else { return trust }
        let members = try file.mapping(node, allowed: ["digest", "pins", "keys", "conformance"], what: "'trust'")
        // YAML 1.1 reads an unquoted 'off' as false.
        if let text = try file.text(members["digest"], what: "'trust.digest'") {
            guard let mode = PluginTrust.Digest(rawValue: text == "false" ? "off" : text) else {
                throw file.error(
                    members["digest"], "'trust.digest' must be off, manifest, pinned or signed, not '\(text)'")
            }
            trust.digest = mode
        }
        if let text = try file.text(members["conformance"], what: "'trust.conformance'") {
            guard let mode = PluginTrust.Conformance(rawValue: text) else {
                throw file.error(members["conformance"], "'trust.conformance' must be none or required, not '\(text)'")
            }
            trust.conformance = mode
        }
        if let text = try file.text(members["keys"], what: "'trust.keys'") {
            guard text.hasPrefix("/") else {
                throw file.error(members["keys"], "'trust.keys' must be an absolute path, not '\(text)'")
            }
            trust.keys = text
        }
        for (key, value) in members["pins"]?.mapping ?? [:] {
            let reference = PluginReference(key.string ?? "")
            guard reference.version != nil else {
                throw file.error(key, "a pin needs 'id@version', not '\(reference)'")
            }
            guard let digest = value.string, PluginTrust.isDigest(digest) else {
                throw file.error(value, "the pin of \(reference) must be a SHA-256 of 64 lower-case hexadecimal digits")
            }
            trust.pins["\(reference)"] = digest
        }
        return trust
    }
}
