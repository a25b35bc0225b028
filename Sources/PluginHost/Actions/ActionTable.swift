// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Compares a plugin's table of actions with its manifest, and makes the calls.
struct ActionTable {
    let path: String
    let pluginID: String

    /// - Parameter declarations: The manifest's, in its order.
    /// - Returns: One call for each, in the same order.
    /// - Throws: `PluginRefusal` with cause `mismatch` where manifest and library differ, `table` for an entry that lacks
    ///   something; both name the field.
    func calls(
        _ table: UnsafeBufferPointer<trove_action_1>, _ declarations: [ActionDeclaration]
    ) throws(PluginRefusal) -> [ActionCall] {
        guard table.count == declarations.count else {
            throw differs("actions", "\(declarations.count) actions", "\(table.count)")
        }
        var calls: [ActionCall] = []
        for (index, declaration) in declarations.enumerated() {
            calls.append(try call(table[index], declaration, "actions[\(index)]"))
        }
        return calls
    }

    private func call(
        _ item: trove_action_1, _ declaration: ActionDeclaration, _ place: String
    ) throws(PluginRefusal) -> ActionCall {
        let size = UInt32(MemoryLayout<trove_action_1>.size)
        guard item.size == size else { throw wrong(place, "has \(item.size) bytes in the plugin, \(size) here") }
        guard let name = item.name, item.fn != nil else { throw wrong(place, "lacks name or fn") }
        try compare("\(place).name", declaration.name, String(cString: name))
        let known = UInt32(TROVE_ACTION_PACKED) | UInt32(TROVE_ACTION_READ_ONLY)
        guard item.flags & ~known == 0 else { throw wrong(place, "has flags that this host does not know") }
        try compare("\(place).read_only", declaration.isReadOnly, item.flags & UInt32(TROVE_ACTION_READ_ONLY) != 0)
        guard item.flags & UInt32(TROVE_ACTION_PACKED) != 0 || item.user == nil else {
            throw wrong(place, "is typed and has user, which only a packed action gets")
        }
        try compare("\(place).args", "\(declaration.arguments.count) arguments", "\(item.arg_count) arguments")
        guard item.arg_count <= TROVE_ACTION_ARGS_MAX, (item.args == nil) == (item.arg_count == 0) else {
            throw wrong(place, "args must be NULL if and only if there are none, and at most \(TROVE_ACTION_ARGS_MAX)")
        }
        for (index, argument) in UnsafeBufferPointer(start: item.args, count: Int(item.arg_count)).enumerated() {
            try compare(argument, declaration.arguments[index], "\(place).args[\(index)]")
        }
        guard let call = ActionCall(declaration, item) else { throw wrong(place, "cannot be described to libffi") }
        return call
    }

    private func compare(
        _ item: trove_arg_1, _ declared: ActionArgument, _ place: String
    ) throws(PluginRefusal) {
        guard let name = item.name else { throw wrong(place, "lacks name") }
        try compare("\(place).name", declared.name, String(cString: name))
        let type = ActionType.allCases.first { $0.number == item.type }
        try compare("\(place).type", declared.type.rawValue, type?.rawValue ?? "number \(item.type)")
        let known = UInt32(TROVE_ARG_OPTIONAL) | UInt32(TROVE_ARG_SECRET)
        guard item.flags & ~known == 0 else { throw wrong(place, "has flags that this host does not know") }
        try compare("\(place).optional", declared.isOptional, item.flags & UInt32(TROVE_ARG_OPTIONAL) != 0)
        try compare("\(place).secret", declared.isSecret, item.flags & UInt32(TROVE_ARG_SECRET) != 0)
    }

    private func compare(_ field: String, _ wanted: Bool, _ found: Bool) throws(PluginRefusal) {
        guard wanted != found else { return }
        throw differs(field, "\(wanted)", "\(found)")
    }

    private func compare(_ field: String, _ wanted: String, _ found: String) throws(PluginRefusal) {
        guard wanted != found else { return }
        throw differs(field, "'\(wanted)'", "'\(found)'")
    }

    private func differs(_ field: String, _ wanted: String, _ found: String) -> PluginRefusal {
        PluginRefusal(
            path: path, id: pluginID, cause: .mismatch,
            message: "\(field): the manifest says \(wanted), the library \(found)")
    }

    private func wrong(_ place: String, _ message: String) -> PluginRefusal {
        PluginRefusal(path: path, id: pluginID, cause: .table, message: "\(TROVE_EXT_ACTIONS): \(place) \(message)")
    }
}
