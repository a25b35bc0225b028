// SPDX-License-Identifier: Apache-2.0

import HTTPClient
package import Model
import PluginHost

extension GuestConfiguration {
    /// Reads and checks the configuration file.
    ///
    /// - Throws: `.configuration` with a sentence that names file, member and what it must be.
    package init(file path: String) throws(GuestAgentError) {
        let bytes: [UInt8]?
        do {
            bytes = try FileAccess.read(path, limit: 1 << 20)
        } catch {
            throw GuestAgentError(.configuration, error.message)
        }
        guard let bytes else { throw GuestAgentError(.configuration, "there is no file '\(path)'") }
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw GuestAgentError(.configuration, "'\(path)' is not JSON: \(error.message)")
        }
        do {
            try self.init(json: json)
        } catch {
            throw GuestAgentError(.configuration, "'\(path)': \(error.message)")
        }
    }

    /// Reads the document.
    ///
    /// Shape: `{"instance_id", "datastore": {"name", "version"}, "plugins": {"datastore", "backup"?, "extra"?, "directories",
    /// "settings"?, "disabled"?, "trust"?, "active"?, "egress"?, "http"?: {"proxy"?, "ca_file"?}}, "address", "port", "ports"?, "uid", "gid", "set_ids"?, "memory_mb", "vcpus"?,
    /// "cgroup_procs"?, "cgroup_kill"?, "oom"?, "data_dir", "run_dir", "log_dir", "state_dir", "bus": {…},
    /// "object_store"?: {"directory", "plugins"?, "logs"?}, "project_id"?, "report_interval_s"?: 30, "mode"?: "serve"}`. In mode `initialize`, `bus`,
    /// `address` and `port` may be absent. Unknown members are ignored.
    ///
    /// - Throws: `.configuration`.
    package init(json: JSONValue) throws(GuestAgentError) {
        let document = try ConfigurationMembers(json, at: "")
        let modeText = try document.text("mode", default: "serve")
        guard let mode = Mode(rawValue: modeText) else {
            throw GuestAgentError(.configuration, "mode: must be \"serve\" or \"initialize\"")
        }
        self.mode = mode
        let serves = mode == .serve
        instanceID = try document.identifier("instance_id")
        let datastore = try document.members("datastore")
        datastoreName = try datastore.text("name")
        datastoreVersion = try datastore.text("version")

        let plugins = try document.members("plugins")
        datastorePlugin = try plugins.reference("datastore")
        backupPlugin = try plugins.has("backup") ? plugins.reference("backup") : nil
        extraPlugins = try plugins.texts("extra")
        pluginDirectories = try plugins.paths("directories")
        pluginSettings = try plugins.object("settings")
        disabledPlugins = try plugins.texts("disabled")
        pluginEgress = try Self.egress(try plugins.object("egress"))
        let http = try plugins.object("http")
        pluginHTTP.proxy = http["proxy"]?.stringValue
        pluginHTTP.caFile = http["ca_file"]?.stringValue
        activePlugins = try plugins.object("active").compactMapValues(\.stringValue)
        let trust = JSONValue.object(try plugins.object("trust"))
        do throws(PluginError) {
            pluginTrust = try PluginTrust(json: trust)
        } catch {
            throw GuestAgentError(.configuration, "plugins.\(error.message)")
        }

        address = try document.text("address", default: serves ? nil : "127.0.0.1")
        port = try document.integer("port", in: 0...65535, default: serves ? nil : 0)
        ports = try document.integers("ports", in: 1...65535)
        uid = UInt32(try document.integer("uid", in: 0...Int(UInt32.max - 1), default: nil))
        gid = UInt32(try document.integer("gid", in: 0...Int(UInt32.max - 1), default: nil))
        setIDs = try document.boolean("set_ids", default: false)
        memoryMB = try document.integer("memory_mb", in: 1...(1 << 30), default: nil)
        vcpus = try document.integer("vcpus", in: 1...65536, default: 1)
        cgroupProcs = try document.paths("cgroup_procs")
        cgroupKill = try document.paths("cgroup_kill")
        oomCounters = try document.paths("oom")

        dataDirectory = try document.path("data_dir")
        runDirectory = try document.path("run_dir")
        logDirectory = try document.path("log_dir")
        stateDirectory = try document.path("state_dir")

        bus = serves ? try GuestBusConfiguration(document.members("bus"), instanceID: instanceID) : nil
        let hasStore = document.has("object_store")
        objectStoreDirectory = hasStore ? try document.members("object_store").path("directory") : ""
        if hasStore, try document.members("object_store").has("plugins") {
            pluginObjectDirectory = try document.members("object_store").path("plugins")
        }
        if hasStore, try document.members("object_store").has("logs") {
            logObjectDirectory = try document.members("object_store").path("logs")
        }
        projectID = try document.has("project_id") ? document.text("project_id", default: "-") : ""
        reportInterval = .seconds(try document.integer("report_interval_s", in: 1...3600, default: 30))
    }

    private static func egress(_ members: [String: JSONValue]) throws(GuestAgentError) -> [String: Set<EgressRule>] {
        var rules: [String: Set<EgressRule>] = [:]
        for (id, list) in members {
            for text in (list.arrayValue ?? [list]).map({ $0.stringValue ?? "" }) {
                guard let rule = EgressRule(text) else {
                    throw GuestAgentError(
                        .configuration, "plugins.egress.\(id): '\(text)' must be http[s]://host or http[s]://host:port")
                }
                rules[id, default: []].insert(rule)
            }
        }
        return rules
    }
}
