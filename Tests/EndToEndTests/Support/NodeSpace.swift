// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import TestSupport

/// One control plane's own database, virtual host and region on private nodes.
struct NodeSpace: Sendable {
    let nodes: Nodes
    let name: String
    /// What `nodes.py space make` printed.
    let document: JSONValue

    /// Makes one on `nodes`.
    static func make(on nodes: Nodes) async throws -> NodeSpace {
        let name = String(UUID().uuidString.prefix(8).lowercased())
        let output = try await run(nodes, "make", name)
        return NodeSpace(nodes: nodes, name: name, document: try JSONValue(parsing: output))
    }

    /// Settings of this space as variables `TROVE_…`.
    var environment: [String: String] { texts("environment") }
    /// Settings of this space by the dotted keys of `trove.yaml`.
    var settings: [String: String] { texts("settings") }
    /// Keystone's variables of a member of project `demo`.
    var openrc: [String: String] { texts("openrc") }
    /// Keystone's variables of a member of project `other`.
    var other: [String: String] { texts("other") }
    /// Keystone's variables of its administrator.
    var administrator: [String: String] { texts("administrator") }
    var database: String { document["database"]?.stringValue ?? "" }
    var virtualHost: String { document["vhost"]?.stringValue ?? "" }

    private func texts(_ member: String) -> [String: String] {
        (document[member]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    /// Puts the API's address into the catalogue.
    func announce(_ url: String) async throws { _ = try await Self.run(nodes, "announce", name, url) }

    func drop() async throws { _ = try await Self.run(nodes, "drop", name) }

    /// Rows of a statement in this space's database as the nodes' administrator, columns apart by tabs.
    func sql(_ statement: String) async throws -> String {
        let client = try sqlClient()
        let result = try await Command.run(client.arguments + ["-e", statement], environment: client.environment)
        guard result.status == 0 else { throw TestFailure("the database refused: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The server's own client on this space's database, as the nodes' administrator.
    func sqlClient() throws -> (arguments: [String], environment: [String: String]) {
        let port = try nodes.port("mariadb", "port")
        let secure = try nodes.document["ca_file"].map { _ in ["--ssl-ca=" + (try nodes.text("ca_file"))] } ?? []
        return (
            ["/usr/bin/mariadb", "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", "\(port)", "-u", "admin"]
                + secure + ["-N", "-B", database],
            ["MYSQL_PWD": try nodes.password("mariadb", "admin")]
        )
    }

    private static func run(_ nodes: Nodes, _ words: String...) async throws -> String {
        let result = try await Command.run(
            ["/usr/bin/python3", "-B", Build.root + "/scripts/nodes.py", "space", "--dir", try nodes.text("directory")]
                + words)
        guard result.status == 0 else { throw TestFailure("nodes.py space \(words): \(result.errors)") }
        return result.output
    }
}
