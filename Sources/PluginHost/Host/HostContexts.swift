// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Synchronization

/// Finds the host's side of a plugin by the table that the plugin was given.
final class HostContexts: Sendable {
    static let shared = HostContexts()

    private let contexts = Mutex<[UInt: HostContext]>([:])

    func add(_ context: HostContext, for table: UnsafeMutablePointer<trove_host_1>) {
        contexts.withLock { $0[UInt(bitPattern: table)] = context }
    }

    func find(_ table: UnsafePointer<trove_host_1>?) -> HostContext? {
        contexts.withLock { $0[UInt(bitPattern: table)] }
    }
}
