// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Model

extension LocalCompute {
    /// What this host has, as it is now.
    ///
    /// - Throws: `.failed` when the file system of the volumes cannot be looked at.
    package func facts() async throws(ComputeError) -> HostFacts {
        try await pool.run { () throws(ComputeError) in
            let space = try self.promised.space()
            let pages = sysconf(Int32(_SC_PHYS_PAGES))
            let pageBytes = sysconf(Int32(_SC_PAGESIZE))
            return HostFacts(
                name: self.configuration.host, memoryMiB: (max(0, pages) * max(0, pageBytes)) >> 20,
                volumeBytes: Int(clamping: space.size), freeVolumeBytes: Int(clamping: space.free),
                promisableBytes: Int(space.limit), promisedBytes: Int(clamping: self.promised.total),
                accessRefusal: self.filter.refusal())
        }
    }
}
