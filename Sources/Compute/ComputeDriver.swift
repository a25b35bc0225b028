// SPDX-License-Identifier: Apache-2.0

package import Model

/// Where instances live: makes and removes what one instance needs outside the state store.
///
/// Every function is idempotent by instance id: a repeat finds what an earlier try made. Nothing here reads or writes the
/// state store; the caller writes `resources(for:effect:)` to the ledger before each effect.
package protocol ComputeDriver: Sendable {
    /// Name of the one host that this driver's instances live on: only a process there can work on them. Nil where every
    /// process can.
    var host: String? { get }

    /// What an effect makes for an instance, by deterministic tags, for the ledger.
    func resources(for instanceID: String, effect: ComputeEffect) -> [ComputeResource]

    /// Reserves an address and a uid. Waits for nothing.
    func allocate(_ instanceID: String, ports: [Int]) async throws(ComputeError) -> Placement

    /// Makes the data volume: a copy of `template` (or a new file system) grown to `sizeGiB` and mounted.
    /// Promised bytes count against the host's limit: `.exhausted` past it.
    func createVolume(_ request: VolumeRequest) async throws(ComputeError) -> VolumePlacement

    /// Grows the data volume, which stays in use, to `sizeGiB`; one that has this size already is left as it is. Promised bytes
    /// count as for `createVolume`. What failed leaves the size before.
    func growVolume(_ instanceID: String, sizeGiB: Int) async throws(ComputeError)

    /// Writes the guest's configuration and starts its agent, confined to the flavor. Returns once the agent process runs.
    /// The volume may be made before or after: the agent needs it when it is told to prepare.
    /// Booting again finds the agent, or starts a new one that adopts the engine.
    func boot(_ request: BootRequest) async throws(ComputeError) -> String

    /// Ends the agent and starts one with another configuration, which adopts the engine; both have the flavor's limits from
    /// then on. What the engine itself was given stays as it is. Needs an instance that was booted.
    func replaceAgent(_ request: BootRequest) async throws(ComputeError)

    /// Ends agent and engine and starts the agent again, as a server's reboot does. The engine gets no chance to stop cleanly
    /// here; whether it is started is what the agent is told afterwards. Needs an instance that was booted.
    func rebootServer(_ instanceID: String) async throws(ComputeError)

    /// `rebootServer` with a new configuration, around the volume and the state that the instance has: everything else of the
    /// server is made anew. Works also for an instance whose server lost what it was booted with.
    func rebuildServer(_ request: BootRequest) async throws(ComputeError)

    /// Ends agent and engine, removes cgroups and run directory. The engine gets no chance to stop cleanly here: ask the
    /// guest first.
    func deleteServer(_ instanceID: String) async throws(ComputeError)

    /// Unmounts, detaches and removes the data volume and the instance's directory.
    func deleteVolume(_ instanceID: String) async throws(ComputeError)

    /// Gives address and uid back.
    func release(_ instanceID: String) async throws(ComputeError)

    /// What enforced access rules are on the host, by a deterministic tag, for the ledger.
    func accessResources(for instanceID: String) -> [ComputeResource]

    /// Lets only these IPv4 networks connect to an instance that has a placement; empty: everybody. Replaces what was set
    /// before, and ends connections that are not allowed any more. `release` forgets it.
    ///
    /// - Throws: `.unsupported` with the reason where it cannot be enforced; then nothing has changed.
    func setAccess(_ instanceID: String, allowed: [String]) async throws(ComputeError)

    /// Whether the agent runs.
    func serverStatus(_ instanceID: String) async -> ServerStatus

    /// Makes the template of a datastore version, once per key; concurrent callers wait for the same one. Old templates
    /// of the same datastore version are removed.
    func ensureTemplate(_ request: TemplateRequest) async throws(ComputeError)

    /// Re-attaches volumes and starts agents of instances that should be up (after a reboot of the host, or the death of
    /// an agent). Nothing is done for one that is up.
    func ensureServer(_ instanceID: String) async throws(ComputeError)

    /// Calls `handler` with the id of an instance whose agent ended without being asked to.
    func watch(_ instanceIDs: [String], handler: @Sendable @escaping (String) async -> Void) async

    /// Everything on the host that belongs to this home, or claims to, as the ledger would name it.
    func inventory() async throws(ComputeError) -> [ComputeResource]
}

extension ComputeDriver {
    package var host: String? { nil }

    package func growVolume(_ instanceID: String, sizeGiB: Int) async throws(ComputeError) {
        throw ComputeError(.unsupported, "volumes cannot grow here")
    }

    package func rebuildServer(_ request: BootRequest) async throws(ComputeError) {
        throw ComputeError(.unsupported, "servers cannot be rebuilt here")
    }

    package func accessResources(for instanceID: String) -> [ComputeResource] { [] }

    package func setAccess(_ instanceID: String, allowed: [String]) async throws(ComputeError) {
        guard allowed.isEmpty else {
            throw ComputeError(.unsupported, "this compute driver does not enforce access rules")
        }
    }
}

/// A kind of outside effect.
package enum ComputeEffect: Sendable, CaseIterable {
    case allocate
    case createVolume
    case boot
}

/// Something on the host, as `kind` and `tag` of the ledger.
package struct ComputeResource: Sendable, Hashable {
    /// `process`, `engine`, `mount`, `loop`, `image`, `cgroup`, `address`, `uid`, `directory`, `filter`.
    package var kind: String
    package var tag: String
    /// The instance it says it belongs to; nil when it does not say.
    package var ownerID: String?

    package init(kind: String, tag: String, ownerID: String?) {
        self.kind = kind
        self.tag = tag
        self.ownerID = ownerID
    }
}

/// Where on the network and as whom an instance runs.
package struct Placement: Sendable, Hashable {
    /// IPv4 text, one of 127.0.0.0/8.
    package var address: String
    /// Numeric owner of the engine's process and files.
    package var uid: UInt32

    package init(address: String, uid: UInt32) {
        self.address = address
        self.uid = uid
    }
}

package struct VolumeRequest: Sendable, Hashable {
    package var instanceID: String
    package var sizeGiB: Int
    /// Key of a template that `ensureTemplate` made; nil for an empty volume (restore).
    package var templateKey: String?

    package init(instanceID: String, sizeGiB: Int, templateKey: String?) {
        self.instanceID = instanceID
        self.sizeGiB = sizeGiB
        self.templateKey = templateKey
    }
}

package struct VolumePlacement: Sendable, Hashable {
    /// Absolute path of the directory the engine's data goes to, owned by the instance's uid.
    package var dataDirectory: String

    package init(dataDirectory: String) { self.dataDirectory = dataDirectory }
}

package struct BootRequest: Sendable, Hashable {
    package var instanceID: String
    package var flavor: Flavor
    /// Members of the guest's configuration that the driver does not know: datastore, version, plugins, ports.
    package var guestConfiguration: JSONValue

    package init(instanceID: String, flavor: Flavor, guestConfiguration: JSONValue) {
        self.instanceID = instanceID
        self.flavor = flavor
        self.guestConfiguration = guestConfiguration
    }
}

package struct TemplateRequest: Sendable, Hashable {
    /// Digest over everything that the content depends on; file-name safe.
    package var key: String
    package var datastoreName: String
    package var versionName: String
    /// As in `BootRequest`.
    package var guestConfiguration: JSONValue

    package init(key: String, datastoreName: String, versionName: String, guestConfiguration: JSONValue) {
        self.key = key
        self.datastoreName = datastoreName
        self.versionName = versionName
        self.guestConfiguration = guestConfiguration
    }
}

/// Why compute could not do what was asked.
package struct ComputeError: Error, Sendable {
    package struct Code: Sendable, Hashable {
        private enum Value { case exhausted, addressInUse, missing, unsupported, timedOut, failed }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        /// Disk, promised bytes, addresses or uids are used up.
        package static let exhausted = Code(.exhausted)
        /// Somebody else listens on the port of every address that could be claimed.
        package static let addressInUse = Code(.addressInUse)
        /// A program, file or template that is needed is not there.
        package static let missing = Code(.missing)
        /// This host cannot do it.
        package static let unsupported = Code(.unsupported)
        package static let timedOut = Code(.timedOut)
        package static let failed = Code(.failed)
    }

    package var code: Code
    /// One sentence for operators that names the thing and the fix, without secrets.
    package var message: String
    package var isRetryable: Bool

    package init(_ code: Code, _ message: String, isRetryable: Bool = false) {
        self.code = code
        self.message = message
        self.isRetryable = isRetryable
    }
}
