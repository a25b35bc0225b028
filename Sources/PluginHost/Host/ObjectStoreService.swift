// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// `trove.object-store/1`.
enum ObjectStoreService {
    static var table: trove_object_store_1 {
        trove_object_store_1(
            size: UInt32(MemoryLayout<trove_object_store_1>.size), flags: 0,
            get: { call, name, sink in
                ServiceCall.serve(call, "object-store.get") { call throws(PluginError) in
                    let (store, container, name) = try ObjectStoreService.target(call, name)
                    let sink = try PluginSink(sink, "sink")
                    try store.get(name, in: container) { bytes throws(PluginError) in
                        try ObjectStoreService.check(call)
                        guard sink.take(bytes) else {
                            throw PluginError(.unavailable, "the receiver of '\(name)' does not take more bytes")
                        }
                    }
                }
            },
            put: { call, name, source in
                ServiceCall.serve(call, "object-store.put") { call throws(PluginError) in
                    let (store, container, name) = try ObjectStoreService.target(call, name)
                    let source = try PluginSource(source, "source")
                    try store.put(name, in: container) { buffer throws(PluginError) in
                        try ObjectStoreService.check(call)
                        guard let count = source.fill(buffer) else {
                            throw PluginError(.unavailable, "the bytes of '\(name)' cannot be read; nothing is stored")
                        }
                        return count
                    }
                }
            },
            remove: { call, name in
                ServiceCall.serve(call, "object-store.remove") { call throws(PluginError) in
                    let (store, container, name) = try ObjectStoreService.target(call, name)
                    try store.remove(name, in: container)
                }
            },
            list: { call, request, response in
                response?.pointee = trove_str()
                return ServiceCall.serve(call, "object-store.list") { call throws(PluginError) in
                    let range = try ServiceCall.range(request, "the object list request")
                    let (store, container) = try ObjectStoreService.container(call)
                    let page = try store.list(range, in: container)
                    response?.pointee = call.borrow(page.json.serialized)
                }
            }
        )
    }

    private static func target(
        _ call: PluginCall, _ name: trove_str
    ) throws(PluginError) -> (any PluginObjectStore, PluginContainer, String) {
        let name = try ServiceCall.name(name, "the object's name")
        let (store, container) = try container(call)
        return (store, container, name)
    }

    private static func container(_ call: PluginCall) throws(PluginError) -> (any PluginObjectStore, PluginContainer) {
        guard let store = call.host.backing.objects else { throw ServiceCall.absent("object store") }
        let project = call.host.backing.projectID ?? call.options.context.projectID
        guard !project.isEmpty else {
            throw PluginError(.preconditionFailed, "objects belong to a project, and this call serves no request")
        }
        return (store, PluginContainer(pluginID: call.host.id, projectID: project))
    }

    private static func check(_ call: PluginCall) throws(PluginError) {
        if call.isCancelled { throw PluginError(.cancelled, "the transfer was stopped") }
    }
}

extension ObjectPage {
    /// `{"objects": [{"name", "bytes"}], "next"}`.
    var json: JSONValue {
        .object([
            "objects": .array(items.map { ["name": .string($0.name), "bytes": .int(Int64($0.bytes))] }),
            "next": .optional(next),
        ])
    }
}
