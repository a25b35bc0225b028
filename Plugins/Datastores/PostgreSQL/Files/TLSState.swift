// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What the plugin keeps of an instance's TLS.
///
/// Shape: `{"mode", "certificate_file", "key_file", "authority_file"?}`.
struct TLSState {
    var mode = TLSMode.off
    var files: TLSFiles?

    init() {}

    init(_ request: TLSRequest) {
        mode = request.mode
        files = request.files
    }

    init(_ json: JSON) throws {
        mode = json["mode"]?.stringValue.flatMap(TLSMode.init(rawValue:)) ?? .off
        if let certificate = try json.optionalText("certificate_file"), let key = try json.optionalText("key_file") {
            files = TLSFiles(
                certificate: certificate, key: key, authority: try json.optionalText("authority_file"))
        }
    }

    /// `nil` without TLS.
    var json: JSON? {
        guard mode != .off, let files else { return nil }
        return .members([
            "mode": .string(mode.rawValue), "certificate_file": .string(files.certificate),
            "key_file": .string(files.key), "authority_file": files.authority.map(JSON.string),
        ])
    }

    /// Every setting that this may set.
    static let names: Set<String> = ["ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file"]

    /// Lines of the configuration.
    var settings: [Settings.Line] {
        guard mode != .off, let files else { return [] }
        var settings: [Settings.Line] = [
            ("ssl", "on"), ("ssl_cert_file", files.certificate), ("ssl_key_file", files.key),
        ]
        if let authority = files.authority { settings.append(("ssl_ca_file", authority)) }
        return settings
    }
}
