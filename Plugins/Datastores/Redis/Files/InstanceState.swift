// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What the plugin keeps of one instance, in a file of the agent's alone.
///
/// Shape: `{"password", "config_contents"}`.
struct InstanceState {
    /// The administrator's password. Secret.
    var password: String
    /// The configuration file's part without paths, overrides included.
    var configContents: String

    /// Reads the state; `nil` before `prepare`.
    static func load(_ path: String) throws -> InstanceState? {
        guard let text = try PluginFiles.read(path) else { return nil }
        do {
            let json = try JSON(parsing: text)
            return InstanceState(
                password: try json.text("password"), configContents: try json.text("config_contents"))
        } catch {
            throw PluginFailure(.internal, "\(path) is damaged; restore it or make the instance anew from a backup")
        }
    }

    /// Writes the state.
    func save(_ path: String) throws {
        let json: JSON = ["password": .string(password), "config_contents": .string(configContents)]
        try PluginFiles.write(json.text, to: path, .secret)
    }
}
