// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What the plugin keeps of one instance, in a file of the agent's alone.
///
/// Shape: `{"password", "config_contents", "first_start": bool, "restored": bool, "system_identifier"?, "root_password"?,
/// "general_log"?: bool, "tls"?: see `TLSState`}`;
/// the identifier as text, since it is beyond 2^53.
struct InstanceState {
    /// The administrator's password. Secret.
    var password: String
    /// The configuration without paths, overrides included.
    var configContents: String
    /// Whether the administrator's password has yet to be set.
    var isFirstStart: Bool
    /// Whether the data came from a backup, with the accounts of the instance it was taken of.
    var isRestored: Bool
    /// The identifier that the copy of the template gets; `nil` for restored data, which keep theirs.
    var systemIdentifier: UInt64?
    /// Kept until the first start is over. Secret.
    var rootPassword: String?
    /// Whether statements go to the log, as the owner of the instance asked.
    var isGeneralLogOn = false
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
                systemIdentifier: try json.optionalText("system_identifier").flatMap { UInt64($0) },
                rootPassword: try json.optionalText("root_password"),
                isGeneralLogOn: json["general_log"]?.boolValue ?? false, tls: try TLSState(json["tls"] ?? [:]))
        } catch {
            throw PluginFailure(.internal, "\(path) is damaged; restore it or make the instance anew from a backup")
        }
    }

    /// Writes the state.
    func save(_ path: String) throws {
        let json = JSON.members([
            "password": .string(password), "config_contents": .string(configContents),
            "first_start": .bool(isFirstStart), "restored": .bool(isRestored),
            "system_identifier": systemIdentifier.map { .string(String($0)) },
            "root_password": rootPassword.map(JSON.string), "general_log": isGeneralLogOn ? true : nil,
            "tls": tls.json,
        ])
        try PluginFiles.write(json.text, to: path, .secret)
    }
}
