// SPDX-License-Identifier: Apache-2.0

/// A size of compute that instances come in.
package struct Flavor: Sendable, Hashable {
    package var id: String
    package var name: String
    package var ramMiB: Int
    package var vcpus: Int

    package init(id: String, name: String, ramMiB: Int, vcpus: Int) {
        self.id = id
        self.name = name
        self.ramMiB = ramMiB
        self.vcpus = vcpus
    }
}
