// SPDX-License-Identifier: Apache-2.0

import Model

/// Where things of one home are on this host; see "Where an instance lives" in the architecture document.
package struct LocalPaths: Sendable {
    package let home: String
    package let run: String
    /// 16 hexadecimal digits that stand for the home in host-wide names.
    package let homeDigest: String

    package init(home: String, run: String) {
        self.home = Self.trimmed(home)
        self.run = Self.trimmed(run)
        homeDigest = StableHash.digits(self.home.utf8)
    }

    /// The home's own directory below the host-wide one; the bus socket is in it.
    package var homeRun: String { "\(run)/\(homeDigest)" }
    package var instances: String { "\(home)/instances" }
    package var templates: String { "\(home)/templates" }
    package var trash: String { "\(instances)/.trash" }
    /// One file for each promise of disk space.
    package var promises: String { "\(instances)/.promises" }
    package var locks: String { "\(instances)/.locks" }
    /// The lock of an instance, by its id, or of something of the home's: those have an `@`.
    package func lock(_ name: String) -> String { "\(locks)/\(name)" }
    /// Held exclusively while the template is made.
    package func templateLock(_ key: String) -> String { lock("template@\(key)") }
    /// Held by everybody who creates instances from the template, and exclusively by who removes it.
    package func templateUseLock(_ key: String) -> String { lock("use@\(key)") }
    package func spareLock(_ key: String) -> String { lock("spares@\(key)") }

    package func instance(_ id: String) -> String { "\(instances)/\(id)" }
    package func image(_ id: String) -> String { "\(instance(id))/volume.img" }
    package func plainData(_ id: String) -> String { "\(instance(id))/data" }
    package func log(_ id: String) -> String { "\(instance(id))/log" }
    package func state(_ id: String) -> String { "\(instance(id))/state" }
    package func guestConfiguration(_ id: String) -> String { "\(instance(id))/guest.json" }
    package func agentRecord(_ id: String) -> String { "\(instance(id))/agent.json" }
    package func volumeRecord(_ id: String) -> String { "\(instance(id))/volume.json" }
    package func accessRecord(_ id: String) -> String { "\(instance(id))/access.json" }
    package func placement(_ id: String) -> String { "\(instance(id))/placement.json" }

    package var runInstances: String { "\(run)/i" }
    package func runInstance(_ id: String) -> String { "\(runInstances)/\(id)" }
    package func mount(_ id: String) -> String { "\(runInstance(id))/data" }
    package func sockets(_ id: String) -> String { "\(runInstance(id))/run" }
    package func runOwner(_ id: String) -> String { "\(runInstance(id))/home" }

    package var claims: String { "\(run)/claims" }

    package func templateImage(_ key: String) -> String { "\(templates)/\(key).img" }
    package func templateTree(_ key: String) -> String { "\(templates)/\(key)" }
    package func templateRecord(_ key: String) -> String { "\(templates)/\(key).json" }
    package func templateLog(_ key: String) -> String { "\(templates)/\(key).log" }
    package func spare(_ key: String, _ number: Int) -> String { "\(templates)/\(key).spare\(number)" }

    /// The control group of an instance, relative to each hierarchy.
    package func group(_ id: String) -> String { "\(homeGroup)/\(id)" }
    package var homeGroup: String { "trove/\(homeDigest)" }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
