// SPDX-License-Identifier: Apache-2.0

import ObjectStore
package import PluginHost

/// Plugins' objects in directories: `<root>/<plugin id>/<project id>/…`.
package struct PluginObjects: PluginObjectStore {
    private let root: String

    /// - Parameter root: Apart from the backups: what lies there belongs to a backup or is removed.
    package init(root: String) { self.root = root }

    package func get(
        _ name: String, in container: PluginContainer,
        to write: (UnsafeRawBufferPointer) throws(PluginError) -> Void
    ) throws(PluginError) {
        var failure: PluginError?
        try translated(&failure) { failure throws(ObjectStoreError) in
            try objects(container).get(name) { bytes in
                do throws(PluginError) { try write(bytes) } catch { failure = error }
                return failure == nil
            }
        }
    }

    package func put(
        _ name: String, in container: PluginContainer,
        from read: (UnsafeMutableRawBufferPointer) throws(PluginError) -> Int
    ) throws(PluginError) {
        var failure: PluginError?
        try translated(&failure) { failure throws(ObjectStoreError) in
            try objects(container).put(name) { buffer in
                do throws(PluginError) { return try read(buffer) } catch {
                    failure = error
                    return nil
                }
            }
        }
    }

    package func remove(_ name: String, in container: PluginContainer) throws(PluginError) {
        var failure: PluginError?
        try translated(&failure) { _ throws(ObjectStoreError) in try objects(container).remove(name) }
    }

    package func list(_ range: NameRange, in container: PluginContainer) throws(PluginError) -> ObjectPage {
        var failure: PluginError?
        let (items, hasMore) = try translated(&failure) { _ throws(ObjectStoreError) in
            try objects(container).list(prefix: range.prefix, after: range.after, limit: range.limit)
        }
        return ObjectPage(
            items: items.map { ObjectPage.Item(name: $0.name, bytes: $0.bytes) },
            next: hasMore ? items.last?.name : nil)
    }

    private func objects(_ container: PluginContainer) -> ObjectContainer {
        ObjectContainer(root: root + "/" + container.pluginID, project: container.projectID)
    }

    /// - Parameter failure: What the plugin's own stream had; it goes before what the store makes of it.
    private func translated<Value>(
        _ failure: inout PluginError?, _ body: (inout PluginError?) throws(ObjectStoreError) -> Value
    ) throws(PluginError) -> Value {
        do throws(ObjectStoreError) {
            return try body(&failure)
        } catch {
            throw failure ?? PluginError(Self.code(error.code), error.message)
        }
    }

    private static func code(_ code: ObjectStoreError.Code) -> PluginError.Code {
        switch code {
        case .notFound: .notFound
        case .invalidName: .invalidArgument
        case .full: .exhausted
        case .cancelled: .cancelled
        case .permissionDenied: .permissionDenied
        case .corrupt: .internal
        default: .unavailable
        }
    }
}
