// SPDX-License-Identifier: Apache-2.0

/// What one host has for instances.
package struct HostFacts: Sendable, Hashable {
    package var name: String
    /// Memory of the host.
    package var memoryMiB: Int
    /// The file system that volumes live on.
    package var volumeBytes: Int
    package var freeVolumeBytes: Int
    /// What volumes may be promised together, and what they are promised already.
    package var promisableBytes: Int
    package var promisedBytes: Int
    /// Why access rules of instances cannot be enforced here; nil: they can.
    package var accessRefusal: String?

    package init(
        name: String, memoryMiB: Int, volumeBytes: Int, freeVolumeBytes: Int, promisableBytes: Int, promisedBytes: Int,
        accessRefusal: String? = nil
    ) {
        self.name = name
        self.memoryMiB = memoryMiB
        self.volumeBytes = volumeBytes
        self.freeVolumeBytes = freeVolumeBytes
        self.promisableBytes = promisableBytes
        self.promisedBytes = promisedBytes
        self.accessRefusal = accessRefusal
    }
}
