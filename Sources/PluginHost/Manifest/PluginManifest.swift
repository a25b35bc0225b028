// SPDX-License-Identifier: Apache-2.0

/// What stands beside a library in `plugin.json`: everything that is decided before code is loaded.
package struct PluginManifest: Sendable, Hashable {
    package struct Library: Sendable, Hashable {
        /// Name of the file in the plugin's directory.
        package var file: String
        /// 64 lower-case hexadecimal digits.
        package var sha256: String
        package var abiMajor: Int
        package var abiMinor: Int
        /// E.g. `linux-x86_64-gnu`.
        package var platform: String
    }

    /// Reverse DNS.
    package var id: String
    /// Semantic version.
    package var version: String
    package var summary: String
    package var library: Library
    package var roles: Set<PluginRole>
    /// Extension ids, e.g. `trove.datastore/1`.
    package var provides: [String]
    /// Service ids without which the plugin cannot work.
    package var requires: [String]
    /// What it is for; nil for any datastore.
    package var datastores: [PluginDatastore]?
    /// First path segments that the plugin's routes may have.
    package var routeWords: PluginRouteWords
    /// Operations that it invents.
    package var actions: [ActionDeclaration]
    /// Name of the file beside the manifest with the JSON Schema of the plugin's settings; nil for any settings.
    package var configurationSchema: String?
    /// SPDX expression.
    package var licence: String
    /// Swift release (`6.3`) that the plugin was built with; nil for a plugin without Swift.
    package var swift: String?
    /// Whether its routes change nothing but by control operations, so that a dry run can run them.
    package var canDryRun = false
    /// What its `trove.backup/1` makes, as the manifest says it; nil when it does not.
    package var backupKinds: Set<BackupKind>?

    /// Whether a control plane may ask its strategy for increments.
    package var makesIncrements: Bool { backupKinds?.contains(.incremental) == true }
}

/// What a backup strategy can make; the raw value is the manifest's word.
package enum BackupKind: String, Sendable, Hashable, CaseIterable { case full, incremental }

/// A datastore that a plugin is for.
package struct PluginDatastore: Sendable, Hashable {
    package var name: String
    /// Names of versions; nil for any.
    package var versions: [String]?

    package init(name: String, versions: [String]?) {
        self.name = name
        self.versions = versions
    }
}

/// First words of a plugin's routes below each prefix of the REST API.
package struct PluginRouteWords: Sendable, Hashable {
    /// The raw value is the manifest's word and the first segment of the path.
    package enum Place: String, Sendable, Hashable, CaseIterable { case instances, clusters, x }

    /// Below `/instances/{id}`.
    package var instances: [String] = []
    /// Below `/clusters/{id}`.
    package var clusters: [String] = []
    /// Below `/x/<plugin id>`.
    package var x: [String] = []

    package subscript(place: Place) -> [String] {
        get {
            switch place {
            case .instances: instances
            case .clusters: clusters
            case .x: x
            }
        }
        set {
            switch place {
            case .instances: instances = newValue
            case .clusters: clusters = newValue
            case .x: x = newValue
            }
        }
    }
}

extension PluginManifest {
    /// The Swift release of which plugins in Swift must be for this host, MAJOR.MINOR.
    package static var swiftRelease: String { HostPlatform.swift }
}

/// What this build of the host is, as manifests name it.
enum HostPlatform {
    #if arch(x86_64)
        static let name = "linux-x86_64-gnu"
    #elseif arch(arm64)
        static let name = "linux-aarch64-gnu"
    #endif

    /// Swift has no stable binary interface on Linux, so plugins in Swift must match this.
    #if compiler(>=6.6)
        static let swift = "6.6"
    #elseif compiler(>=6.5)
        static let swift = "6.5"
    #elseif compiler(>=6.4)
        static let swift = "6.4"
    #elseif compiler(>=6.3)
        static let swift = "6.3"
    #else
        static let swift = "6.2"
    #endif
}
