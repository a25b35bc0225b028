// SPDX-License-Identifier: Apache-2.0

package import BrokerAccounts
import Calls
package import Messaging
package import Model
import StateStore

/// How guests reach a message broker that is not the control plane's own: each with an account and a key of its instance.
package struct GuestBus: Sendable {
    package var administration: any BrokerAdministration
    /// What accounts' passwords follow from.
    private let passphrase: Secret
    /// Holds instances' keys in the state store; nil where there are none.
    private let keys: RPCKeyBox?
    private let sealing: Sealing

    /// Whether new instances are given a key.
    package enum Sealing: Sendable { case on, off }

    /// - Parameters:
    ///   - passphrase: The same in every process of the control plane.
    ///   - keys: nil where no instance has a key, nor gets one.
    package init(
        administration: any BrokerAdministration, passphrase: Secret, keys: RPCKeyBox?, sealing: Sealing = .on
    ) {
        self.sealing = sealing
        self.administration = administration
        self.passphrase = passphrase
        self.keys = keys
    }

    func account(_ instanceID: String) throws(BrokerAccountError) -> GuestAccount {
        try GuestAccount(instanceID: instanceID, passphrase: passphrase)
    }

    /// A new key as it is stored; nil for messages that are not sealed.
    func makeKey(random: any RandomSource) throws(MessagingError) -> String? {
        guard let keys, sealing == .on else { return nil }
        return try keys.seal(RPCKey.make(random: random), random: random)
    }

    /// The `bus` member of a guest's configuration: what all guests are told, with the account and the key of this one.
    func members(_ common: JSONValue?, of instance: InstanceRecord) throws -> JSONValue {
        var members = common?.objectValue ?? [:]
        let account = try account(instance.id)
        members["user"] = .string(account.user)
        members["password"] = .string(account.password.revealed)
        if let stored = instance.encryptedKey {
            guard let keys else {
                throw FlowError(
                    "The messages of instance \(instance.id) are sealed, and no passphrase is set for its key.")
            }
            members["rpc_key"] = .string(try keys.open(stored).secret.revealed)
        }
        return .object(members)
    }
}

/// The step of a flow that makes a guest's account, key and queues, and the one that removes them.
enum GuestBusSteps {
    static let deadline = Duration.seconds(3600)

    /// Account `trove-guest-<id>` at the broker; nothing where the bus is the control plane's own.
    static func entries(_ run: FlowRun) throws -> [LedgerEntry] {
        guard run.services.guestBus != nil else { return [] }
        let id = try run.inputText("instance_id")
        return run.ledgerEntries([(LedgerEntry.busUser, GuestAccount.user(id))], owner: id)
    }

    static func make(_ run: FlowRun) async throws {
        let id = try run.inputText("instance_id")
        if let guestBus = run.services.guestBus {
            try await storeKey(id, try guestBus.makeKey(random: run.services.random), run)
            let account = try guestBus.account(id)
            try await BusPatience.run(run, for: deadline) { try await guestBus.administration.create(account) }
        }
        try await BusPatience.run(run, for: deadline) {
            try await run.services.bus.declare(topic: GuestTopic.name(id), server: id)
        }
    }

    /// The account first: a guest that is not quite gone cannot make its queues again.
    ///
    /// - Parameter limit: How long a broker that is away is waited for.
    static func remove(_ run: FlowRun, waiting limit: Duration = deadline) async throws {
        let id = try run.inputText("instance_id")
        if let guestBus = run.services.guestBus {
            try await BusPatience.run(run, for: limit) { try await guestBus.administration.remove(instanceID: id) }
        }
        try await BusPatience.run(run, for: limit) {
            try await run.services.bus.forget(topic: GuestTopic.name(id), server: id)
        }
        try await run.services.store.write(.relaxed) { transaction in
            try transaction.ledger.strike(kind: LedgerEntry.busUser, tag: GuestAccount.user(id))
        }
    }

    /// Keeps the first key that was stored: a guest may have it already.
    private static func storeKey(_ id: String, _ key: String?, _ run: FlowRun) async throws {
        guard let key else { return }
        let clock = run.services.clock
        try await run.services.store.write(.relaxed) { transaction in
            guard var instance = try transaction.instances.find(id), instance.encryptedKey == nil else { return }
            instance.encryptedKey = key
            _ = try transaction.instances.save(instance, now: clock.now)
        }
    }
}
