// SPDX-License-Identifier: Apache-2.0

/// Which requests of a process are sealed, and with which key.
///
/// Requests to a guest are sealed with its instance's key. Requests of guests to the conductor, which many keys are used for,
/// are sealed and labelled with the instance's id.
package protocol RPCKeyring: Sendable {
    /// Whether requests on `topic` carry the label of the key that they are sealed with.
    func isLabelled(_ topic: String) -> Bool

    /// The key of requests on `topic`; nil where requests are plain.
    ///
    /// - Throws: `unavailable` when that cannot be found out now.
    func key(topic: String) async throws(MessagingError) -> RPCKey?

    /// The key that belongs to a label, which is an instance's id; nil for one that has none.
    ///
    /// - Throws: `unavailable` when that cannot be found out now.
    func key(label: String) async throws(MessagingError) -> RPCKey?

    /// The label of what this process sends on labelled topics; nil for the control plane.
    var ownLabel: String? { get }
}

/// A guest's keys: the one of its instance.
package struct StaticKeyring: RPCKeyring {
    private let instanceID: String
    private let own: RPCKey
    private let topic: String
    private let labelledTopic: String

    /// - Parameters:
    ///   - topic: Where this guest serves.
    ///   - labelledTopic: The conductor's.
    package init(instanceID: String, key: RPCKey, topic: String, labelledTopic: String) {
        self.instanceID = instanceID
        own = key
        self.topic = topic
        self.labelledTopic = labelledTopic
    }

    package var ownLabel: String? { instanceID }

    package func isLabelled(_ topic: String) -> Bool { topic == labelledTopic }

    package func key(topic: String) async throws(MessagingError) -> RPCKey? {
        topic == labelledTopic || topic == self.topic || topic == "\(self.topic).\(instanceID)" ? own : nil
    }

    package func key(label: String) async throws(MessagingError) -> RPCKey? { label == instanceID ? own : nil }
}
