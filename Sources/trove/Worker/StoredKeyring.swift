// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import StateStore
import Synchronization

/// The keys of all instances, as the state store has them.
///
/// A key never changes, so one that was read is kept; that an instance has none is believed for a moment.
final class StoredKeyring: RPCKeyring {
    private static let capacity = 1 << 17
    private static let absence = Duration.seconds(2)
    /// How long a guest's message waits for a state store that is away.
    private static let patience = Duration.seconds(20)
    private static let pause = Duration.milliseconds(500)

    private enum Entry {
        case key(RPCKey)
        case none(until: ContinuousClock.Instant)
    }

    private let store: any StateStore
    private let box: RPCKeyBox
    private let known = Mutex<[String: Entry]>([:])

    init(store: any StateStore, box: RPCKeyBox) {
        self.store = store
        self.box = box
    }

    var ownLabel: String? { nil }

    func isLabelled(_ topic: String) -> Bool { topic == ConductorVerb.topic }

    func key(topic: String) async throws(MessagingError) -> RPCKey? {
        guard let id = GuestTopic.instanceID(topic) else { return nil }
        return try await key(of: id)
    }

    func key(label: String) async throws(MessagingError) -> RPCKey? {
        let deadline = Deadline.after(Self.patience)
        while true {
            do throws(MessagingError) {
                return try await key(of: label)
            } catch {
                guard error.code == .unavailable, !deadline.isPast, (try? await Task.sleep(for: Self.pause)) != nil
                else { throw error }
            }
        }
    }

    private func key(of instanceID: String) async throws(MessagingError) -> RPCKey? {
        switch known.withLock({ $0[instanceID] }) {
        case .key(let key)?: return key
        case .none(let until)? where until > .now: return nil
        default: break
        }
        let stored: String?
        do {
            stored = try await store.read { try $0.instances.find(instanceID)?.encryptedKey }
        } catch {
            throw MessagingError(.unavailable, "the keys of instances cannot be read now")
        }
        guard let stored else {
            keep(.none(until: .now + Self.absence), for: instanceID)
            return nil
        }
        let key = try box.open(stored)
        keep(.key(key), for: instanceID)
        return key
    }

    private func keep(_ entry: Entry, for instanceID: String) {
        known.withLock { known in
            if known.count >= Self.capacity, known[instanceID] == nil, let any = known.keys.first { known[any] = nil }
            known[instanceID] = entry
        }
    }
}
