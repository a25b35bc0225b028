// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Who must use TLS, and how.
public enum TLSMode: String, Sendable {
    /// The engine has none.
    case off
    /// Who asks for it.
    case basic
    /// Everybody who comes over the network.
    case enforced
    /// As `enforced`, and tenants' accounts show a certificate of the authority.
    case mtls
}

/// Files of a certificate, readable by the engine. Their paths stay when their content is exchanged.
public struct TLSFiles: Sendable, Equatable {
    /// The engine's certificate, then intermediates.
    public var certificate: String
    /// Its private key.
    public var key: String
    /// Whom clients' certificates are of.
    public var authority: String?

    /// Files at these paths.
    public init(certificate: String, key: String, authority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
    }
}

/// The TLS that an engine shall have: `tls-request`.
public struct TLSRequest: Sendable {
    /// Who must use it.
    public var mode: TLSMode
    /// `nil` when off.
    public var files: TLSFiles?

    /// A request, as the host makes it.
    public init(mode: TLSMode, files: TLSFiles?) {
        self.mode = mode
        self.files = files
    }

    init(_ json: JSON) throws {
        guard let mode = TLSMode(rawValue: try json.text("mode")) else {
            throw PluginFailure(.invalidArgument, "the member 'mode' must be off, basic, enforced or mtls")
        }
        self.mode = mode
        guard mode != .off else { return }
        files = TLSFiles(
            certificate: try json.text("certificate_file"), key: try json.text("key_file"),
            authority: try json.optionalText("authority_file"))
        guard mode != .mtls || files?.authority != nil else {
            throw PluginFailure(.invalidArgument, "the mode 'mtls' needs the member 'authority_file'")
        }
    }
}

/// The TLS of an engine: `tls-status`.
public struct TLSStatus: Sendable {
    /// Whether the engine that runs takes connections with TLS.
    public var isOn: Bool
    /// What was applied last.
    public var mode: TLSMode

    /// What an engine does.
    public init(isOn: Bool, mode: TLSMode) {
        self.isOn = isOn
        self.mode = mode
    }

    var json: JSON { ["status": isOn ? "on" : "off", "mode": .string(mode.rawValue)] }
}

/// An engine whose TLS can be changed: `trove.tls/1`.
public protocol TLSAdministration: DatastorePlugin {
    /// Makes TLS as the request says: at once where the running engine can, and for every later start. Idempotent.
    ///
    /// - Returns: Whether the engine that runs must be started anew first.
    func applyTLS(_ request: TLSRequest, call: Call) throws -> Bool
    /// What the engine does now.
    func tlsStatus(call: Call) throws -> TLSStatus
}

extension PluginExtension {
    /// Offers `type`, which is also the plugin's datastore, as `trove.tls/1`.
    public static func tls(_ type: any TLSAdministration.Type) -> PluginExtension {
        var table = trove_tls_1()
        table.size = UInt32(MemoryLayout<trove_tls_1>.size)
        table.apply = { DatastoreTable.serve($0, $1, $2, applyTLS) }
        table.show = { DatastoreTable.serve($0, $1, $2, showTLS) }
        return PluginExtension(TROVE_EXT_TLS, table)
    }
}

private func administration(_ box: DatastoreBox) throws -> any TLSAdministration {
    guard let administration = box.datastore as? any TLSAdministration else { throw PluginFailure.unsupported("tls") }
    return administration
}

private func applyTLS(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    ["restart_required": .bool(try administration(box).applyTLS(try TLSRequest(request), call: call))]
}

private func showTLS(_ box: DatastoreBox, _ request: JSON, _ call: Call) throws -> JSON? {
    try administration(box).tlsStatus(call: call).json
}
