// SPDX-License-Identifier: Apache-2.0

import Model

/// `flavors.yaml`: `flavors: [{id, name, ram (MiB), vcpus}]`, smallest first.
enum FlavorFile {
    static func read(_ path: String) throws -> [Flavor] {
        let file = try YAMLDocument(path: path)
        let members = try file.mapping(file.root, allowed: ["flavors"], what: "the flavor file")
        var flavors: [Flavor] = []
        for node in try file.sequence(members["flavors"], what: "'flavors'") {
            let member = try file.mapping(node, allowed: ["id", "name", "ram", "vcpus"], what: "a flavor")
            let id = try file.requiredText(member, "id", of: node, what: "a flavor")
            guard !flavors.contains(where: { $0.id == id }) else {
                throw file.error(node, "flavor \(id) appears twice")
            }
            flavors.append(
                Flavor(
                    id: id, name: try file.requiredText(member, "name", of: node, what: "flavor \(id)"),
                    ramMiB: try file.integer(member, "ram", of: node, what: "flavor \(id)", minimum: 64),
                    vcpus: try file.integer(member, "vcpus", of: node, what: "flavor \(id)", minimum: 1)
                )
            )
        }
        guard !flavors.isEmpty else { throw file.error(file.root, "there must be at least one flavor") }
        return flavors
    }
}
