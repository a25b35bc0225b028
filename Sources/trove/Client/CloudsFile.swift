// SPDX-License-Identifier: Apache-2.0

import Client
import Yams

/// A cloud of a `clouds.yaml`, as the variables that an openrc would have.
///
/// The file is `OS_CLIENT_CONFIG_FILE`, or the first that is there of `clouds.yaml`, `~/.config/openstack/clouds.yaml` and
/// `/etc/openstack/clouds.yaml`; a `secure.yaml` beside it adds secrets. Of the environment nothing else counts. Source:
/// openstacksdk, "Configuring OpenStack SDK Applications".
struct CloudsFile {
    /// The file that the cloud is from.
    let path: String
    let variables: [String: String]

    /// - Throws: `ClientError` `.configuration` that names the file, and the clouds that it has.
    init(cloud name: String, environment: (String) -> String?) throws {
        let candidates = Self.candidates(environment)
        guard let path = candidates.first(where: Files.exists) else {
            throw ClientError(
                .configuration, "cloud '\(name)' needs a clouds.yaml; looked for \(candidates.joined(separator: ", "))")
        }
        self.path = path
        let clouds = try Self.clouds(path)
        guard let cloud = clouds[name] else {
            let names = clouds.isEmpty ? "none" : clouds.keys.sorted().joined(separator: ", ")
            throw ClientError(.configuration, "\(path) has no cloud '\(name)'; it has \(names)")
        }
        let secure = (path.split(separator: "/", omittingEmptySubsequences: false).dropLast() + ["secure.yaml"])
            .joined(separator: "/")
        let secrets = Files.exists(secure) ? try Self.clouds(secure)[name] : nil
        variables = Self.variables(cloud).merging(secrets.map(Self.variables) ?? [:]) { $1 }
    }

    private static func candidates(_ environment: (String) -> String?) -> [String] {
        if let path = environment("OS_CLIENT_CONFIG_FILE") { return [path] }
        let home = environment("XDG_CONFIG_HOME") ?? environment("HOME").map { $0 + "/.config" }
        return ["clouds.yaml"] + (home.map { [$0 + "/openstack/clouds.yaml"] } ?? []) + ["/etc/openstack/clouds.yaml"]
    }

    private static func clouds(_ path: String) throws -> [String: Node] {
        let root: Node
        do { root = try YAMLDocument(path: path).root } catch let error as StartError {
            throw ClientError(.configuration, error.message)
        }
        guard let clouds = root["clouds"]?.mapping else {
            throw ClientError(.configuration, "\(path) has no mapping 'clouds'")
        }
        return Dictionary(clouds.compactMap { key, value in key.string.map { ($0, value) } }) { first, _ in first }
    }

    private static func variables(_ cloud: Node) -> [String: String] {
        var variables: [String: String] = [:]
        for (key, value) in cloud["auth"]?.mapping ?? [:] {
            if let name = key.string, let text = text(value) { variables["OS_" + name.uppercased()] = text }
        }
        for name in ["auth_type", "region_name", "interface", "endpoint_type", "cacert"] {
            if let text = text(cloud[name]) { variables["OS_" + name.uppercased()] = text }
        }
        if variables["OS_REGION_NAME"] == nil, let region = cloud["regions"]?[0] {
            variables["OS_REGION_NAME"] = text(region["name"] ?? region)
        }
        if cloud["verify"]?.bool == false || cloud["insecure"]?.bool == true { variables["OS_INSECURE"] = "true" }
        return variables
    }

    /// As it stands in the file: a password of digits is no number.
    private static func text(_ node: Node?) -> String? {
        guard let node, node.null == nil, let text = node.scalar?.string, !text.isEmpty else { return nil }
        return text
    }
}
