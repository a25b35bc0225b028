// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What the plugin keeps of one instance, in a file of the agent's alone.
///
/// Shape: `{"password", "config_contents", "first_start": bool, "restored": bool, "root_password"?,
/// "logs"?: {variable: bool}, "tls"?: see `TLSState`}`.
struct InstanceState {
    /// The administrator's password. Secret.
    var password: String
    /// The option file's part without paths, overrides included.
    var configContents: String
    /// Whether the administrator's account has yet to be made.
    var isFirstStart: Bool
    /// Whether the data came from a backup, with the accounts of the instance it was taken of.
    var isRestored: Bool
    /// Kept until the first start is over. Secret.
    var rootPassword: String?
    /// Logs that were turned on or off, by the variable that does it.
    var logs: [String: Bool] = [:]
    /// What the engine's TLS shall be.
    var tls = TLSState()

    /// Reads the state; `nil` before `prepare`.
    static func load(_ path: String) throws -> InstanceState? {
        guard let text = try PluginFiles.read(path) else { return nil }
        do {
            let json = try JSON(parsing: text)
            return InstanceState(
                password: try json.text("password"), configContents: try json.text("config_contents"),
                isFirstStart: json["first_start"]?.boolValue ?? false, isRestored: json["restored"]?.boolValue ?? false,
                rootPassword: try json.optionalText("root_password"),
                logs: (json["logs"]?.objectValue ?? [:]).compactMapValues(\.boolValue),
                tls: try TLSState(json["tls"] ?? [:]))
        } catch {
            throw PluginFailure(.internal, "\(path) is damaged; restore it or make the instance anew from a backup")
        }
    }

    /// Writes the state.
    func save(_ path: String) throws {
        let json = JSON.members([
            "password": .string(password), "config_contents": .string(configContents),
            "first_start": .bool(isFirstStart), "restored": .bool(isRestored),
            "root_password": rootPassword.map(JSON.string),
            "logs": logs.isEmpty ? nil : .object(logs.mapValues(JSON.bool)), "tls": tls.json,
        ])
        try PluginFiles.write(json.text, to: path, .secret)
    }
}
