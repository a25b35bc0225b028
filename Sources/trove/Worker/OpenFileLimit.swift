// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How many files and sockets a process may have open.
enum OpenFileLimit {
    /// Enough for every connection of the API, and then some.
    private static let wanted: rlim_t = 65_536

    /// Raises this process's limit as far as it may, so that connections do not run out of descriptors. Source: getrlimit(2).
    static func raise() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(resource, &limit)
    }
}
