// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// Who serves a module type: the agent itself for `ping` and `file`, a plugin for others. A plugin for one of these two is asked
/// first.
struct ModuleDrivers: Sendable {
    let plugins: GuestPlugins
    let files: ModuleFiles

    /// Makes a module effective.
    ///
    /// - Returns: What is told about it.
    func apply(
        _ module: [String: JSONValue], _ document: JSONValue, deadline: Deadline, context: RequestContext
    ) async throws(PluginError) -> String {
        let contents = Base64.decode(module["contents"]?.stringValue ?? "") ?? []
        switch await builtIn(document) {
        case .ping: return try Self.ping(contents)
        case .file:
            let name = try Self.fileName(document)
            let isSecret = module["is_admin"]?.boolValue ?? false
            let files = files
            try await Self.storage { try files.write(contents, name, isSecret: isSecret) }
            return "The file '\(ModuleFiles.directoryName)/\(name)' was written."
        case nil:
            let answer = try await plugins.module(.apply, document, deadline: deadline, context: context)
            return answer["message"]?.stringValue ?? ""
        }
    }

    /// Takes a module away.
    func remove(_ document: JSONValue, deadline: Deadline, context: RequestContext) async throws(PluginError) {
        switch await builtIn(document) {
        case .ping: return
        case .file:
            let name = try Self.fileName(document)
            let files = files
            try await Self.storage { try files.remove(name) }
        case nil: _ = try await plugins.module(.remove, document, deadline: deadline, context: context)
        }
    }

    private enum BuiltIn: String { case ping, file }

    private func builtIn(_ document: JSONValue) async -> BuiltIn? {
        guard let type = document["type"]?.stringValue, let found = BuiltIn(rawValue: type) else { return nil }
        return await plugins.hasModuleDriver(type) ? nil : found
    }

    /// The text behind `message=` of the first line that has it. Source: the ping driver of the reference service.
    private static func ping(_ contents: [UInt8]) throws(PluginError) -> String {
        let prefix = "message="
        for line in String(decoding: contents, as: UTF8.self).split(whereSeparator: \.isNewline)
        where line.hasPrefix(prefix) { return String(line.dropFirst(prefix.count)) }
        throw PluginError(.invalidArgument, "Message not found in contents: a line 'message=<text>' is needed.")
    }

    private static func fileName(_ document: JSONValue) throws(PluginError) -> String {
        let name = document["name"]?.stringValue ?? ""
        guard let file = ModuleFiles.fileName(name) else {
            throw PluginError(.invalidArgument, "The module's name '\(name)' cannot be the name of a file.")
        }
        return file
    }

    private static func storage(_ body: @Sendable @escaping () throws -> Void) async throws(PluginError) {
        do { try await OwnThread.run("module-file", body) } catch {
            throw PluginError(.internal, "\(error)")
        }
    }
}
