// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model
import PluginHost

/// What a plugin runner maps and what it is told; another selection needs another runner.
struct PluginSelection: Sendable, Hashable {
    /// Searched in this order.
    var directories: [String]
    /// References `id` or `id@version`.
    var enabled: Set<String>
    var disabled: Set<String>
    /// Version by id.
    var active: [String: String]
    /// Object by plugin id.
    var settings: [String: JSONValue]
    var trust: PluginTrust
    /// Servers by plugin id, and how requests leave this host.
    var egress: [String: Set<EgressRule>]
    var http: HTTPClientConfiguration
}
