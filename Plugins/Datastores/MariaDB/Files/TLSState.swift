// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What the plugin keeps of an instance's TLS.
///
/// Shape: `{"mode", "certificate_file"?, "key_file"?, "authority_file"?, "required"?: bool, "own"?: {account: words}}`.
struct TLSState {
    var mode = TLSMode.off
    var files: TLSFiles?
    /// Whether tenants' accounts must show a certificate: since `mtls` is in effect.
    var isRequired = false
    /// What accounts, as SQL has them, demanded before by themselves, as SQL has it after REQUIRE.
    var own: [String: String] = [:]

    init() {}

    init(_ json: JSON) throws {
        mode = json["mode"]?.stringValue.flatMap(TLSMode.init(rawValue:)) ?? .off
        if let certificate = try json.optionalText("certificate_file"), let key = try json.optionalText("key_file") {
            files = TLSFiles(
                certificate: certificate, key: key, authority: try json.optionalText("authority_file"))
        }
        isRequired = json["required"]?.boolValue ?? false
        own = (json["own"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    /// `nil` for an instance that has nothing to do with it.
    var json: JSON? {
        guard mode != .off || isRequired else { return nil }
        return .members([
            "mode": .string(mode.rawValue), "certificate_file": files.map { .string($0.certificate) },
            "key_file": files.map { .string($0.key) }, "authority_file": files?.authority.map(JSON.string),
            "required": isRequired ? true : nil, "own": own.isEmpty ? nil : .object(own.mapValues(JSON.string)),
        ])
    }

    /// Whether connections over the network must be encrypted.
    var isEnforced: Bool { mode == .enforced || mode == .mtls }

    /// Lines of the option file.
    var options: [(name: String, value: String)] {
        guard mode != .off, let files else { return [] }
        var options = [("ssl_cert", files.certificate), ("ssl_key", files.key)]
        if let authority = files.authority { options.append(("ssl_ca", authority)) }
        if isEnforced { options.append(("require_secure_transport", "ON")) }
        return options
    }
}
