// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Synchronization

/// Whether a plugin starts with nothing but the services that its manifest asks for.
struct RequiresGroup {
    let order: ChildOrder

    var scenarios: [Scenario] {
        [Scenario(check: "manifest.requires", target: "init", limit: 10) { try self.check() }]
    }

    private func check() throws {
        let known = ObservedServices.guest.union(ObservedServices.control)
        for id in order.requires where !known.contains(id) {
            ChildReporter.shared.fail("manifest.requires", "requires names \(id), which no host of ABI 1.0 offers.")
        }
        guard let handle = PluginUnderCheck.map(order.libraryPath), let symbol = dlsym(handle, "trove_plugin_entry")
        else {
            throw Unusable()
        }
        let entry = unsafeBitCast(symbol, to: PluginUnderCheck.Entry.self)
        guard let plugin = entry(UInt32(TROVE_ABI_MAJOR), UInt32(TROVE_ABI_MINOR)), let start = plugin.pointee.`init`
        else {
            throw Unusable()
        }
        ObservedHost.shared.state.withLock { $0.isInInit = true }
        let status = start(ObservedHost.table)
        guard status != Int32(TROVE_OK) else { return }
        let asked = ObservedHost.shared.state.withLock { state in state.asked.filter { !$0.value }.keys.sorted() }
        ChildReporter.shared.fail(
            "manifest.requires",
            "init fails (\(Status.name(status))) with the services that requires names alone; it asked for "
                + "\(asked.isEmpty ? "no other" : asked.joined(separator: ", ")): list what it cannot do without.")
    }
}
