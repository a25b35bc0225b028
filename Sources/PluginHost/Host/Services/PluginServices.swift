// SPDX-License-Identifier: Apache-2.0

package import Model

/// What a process lends to the host services of its plugins. A service without its part fails with `unavailable`.
package struct PluginServices: Sendable {
    package var values: (any KeyValueStore)?
    package var objects: (any PluginObjectStore)?
    package var peer: (any PluginPeer)?
    package var reporter: (any PluginReporter)?
    /// Of the one instance that this process serves; nil: the project of the request.
    package var projectID: String?

    package init(
        values: (any KeyValueStore)? = nil, objects: (any PluginObjectStore)? = nil, peer: (any PluginPeer)? = nil,
        reporter: (any PluginReporter)? = nil, projectID: String? = nil
    ) {
        self.values = values
        self.objects = objects
        self.peer = peer
        self.reporter = reporter
        self.projectID = projectID
    }
}

/// A few values a plugin, behind `trove.kv/1`. Called on plugins' own threads; may block until the caller is stopped.
///
/// Keys have been checked: 1 to 255 bytes of printable ASCII; so have values: 64 KiB at most.
package protocol KeyValueStore: Sendable {
    /// nil without one.
    func get(_ key: String, _ caller: PluginCaller) throws(PluginError) -> StoredValue?
    /// - Returns: The new revision, higher than every one before.
    /// - Throws: `preconditionFailed` for another revision, `exhausted` past `keyLimit` keys.
    func put(
        _ key: String, _ value: [UInt8], expected: ExpectedRevision, _ caller: PluginCaller
    ) throws(PluginError) -> Int
    func remove(_ key: String, expected: ExpectedRevision, _ caller: PluginCaller) throws(PluginError)
    func list(_ range: NameRange, _ caller: PluginCaller) throws(PluginError) -> KeyPage
}

/// A value and how often its plugin's values had changed when it was stored.
package struct StoredValue: Sendable, Hashable {
    package var value: [UInt8]
    package var revision: Int

    package init(value: [UInt8], revision: Int) {
        self.value = value
        self.revision = revision
    }
}

/// What must be there for a change to happen.
package enum ExpectedRevision: Sendable, Hashable {
    case any
    case absent
    case exactly(Int)

    package func allows(_ revision: Int?) -> Bool {
        switch self {
        case .any: true
        case .absent: revision == nil
        case .exactly(let wanted): revision == wanted
        }
    }
}

/// Which names of an ascending list.
package struct NameRange: Sendable, Hashable {
    package var prefix: String
    /// The last name of the page before.
    package var after: String?
    /// 1 to 1,000.
    package var limit: Int

    package init(prefix: String = "", after: String? = nil, limit: Int = 1000) {
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }
}

/// Keys in ascending order of their bytes.
package struct KeyPage: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var key: String
        package var revision: Int

        package init(key: String, revision: Int) {
            self.key = key
            self.revision = revision
        }
    }

    package var items: [Item]
    /// For `after` of the next page; nil at the end.
    package var next: String?

    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}

/// A plugin's own objects, behind `trove.object-store/1`. Called on plugins' own threads.
package protocol PluginObjectStore: Sendable {
    /// Hands the object's bytes out in order.
    ///
    /// - Throws: `notFound`; what `write` throws.
    func get(
        _ name: String, in container: PluginContainer,
        to write: (UnsafeRawBufferPointer) throws(PluginError) -> Void
    ) throws(PluginError)
    /// Stores what `read` fills until it answers 0, whole or not at all.
    func put(
        _ name: String, in container: PluginContainer,
        from read: (UnsafeMutableRawBufferPointer) throws(PluginError) -> Int
    ) throws(PluginError)
    /// An object that is not there is no error.
    func remove(_ name: String, in container: PluginContainer) throws(PluginError)
    func list(_ range: NameRange, in container: PluginContainer) throws(PluginError) -> ObjectPage
}

/// One plugin's objects of one project.
package struct PluginContainer: Sendable, Hashable {
    package var pluginID: String
    package var projectID: String

    package init(pluginID: String, projectID: String) {
        self.pluginID = pluginID
        self.projectID = projectID
    }
}

/// Objects in ascending order of their names' bytes.
package struct ObjectPage: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var name: String
        package var bytes: Int

        package init(name: String, bytes: Int) {
            self.name = name
            self.bytes = bytes
        }
    }

    package var items: [Item]
    package var next: String?

    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}

/// Reaches the same plugin in the other role, behind `trove.rpc/1`. Called on plugins' own threads; blocks.
package protocol PluginPeer: Sendable {
    /// - Returns: What the peer emitted.
    func call(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError) -> JSONValue
    /// Returns once the message is on its way.
    func cast(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError)
}

/// A message to the same plugin in the other role.
package struct PeerMessage: Sendable, Hashable {
    /// nil: the sender's own.
    package var instanceID: String?
    package var method: String
    package var payload: JSONValue

    package init(instanceID: String?, method: String, payload: JSONValue) {
        self.instanceID = instanceID
        self.method = method
        self.payload = payload
    }
}

/// Tells the control plane what a plugin learnt by itself, behind `trove.report/1`. Any thread; returns at once.
package protocol PluginReporter: Sendable {
    func report(_ report: PluginReport, from pluginID: String, context: RequestContext?) throws(PluginError)
}

/// Something that a plugin learnt by itself.
package enum PluginReport: Sendable, Hashable {
    case serviceStatus(EngineStatus.Health)
    case rootEnabled
    case backup(id: String, message: String)
}
