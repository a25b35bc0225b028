// SPDX-License-Identifier: Apache-2.0

/// The three places where a plugin's routes may be; each first word stands in the manifest's `routes`.
public enum RoutePath {
    /// About one instance: `/instances/{id}/…`; `rest` begins with a word of `routes.instances`.
    public static func instance(_ rest: String) -> String { "/instances/{id}/" + rest }

    /// About one cluster: `/clusters/{id}/…`; `rest` begins with a word of `routes.clusters`.
    public static func cluster(_ rest: String) -> String { "/clusters/{id}/" + rest }

    /// The plugin's own: `/x/<plugin id>/…`; `rest` begins with a word of `routes.x`.
    public static func own(_ plugin: any Plugin.Type, _ rest: String) -> String { "/x/\(plugin.id)/" + rest }
}
