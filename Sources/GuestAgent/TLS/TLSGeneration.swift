// SPDX-License-Identifier: Apache-2.0

import Model

/// The TLS that an engine has, had or shall have.
///
/// Shape: `{"mode": "off" | "basic" | "enforced" | "mtls", "certificate"?, "private_key"?, "authority"?}`, PEM texts; none when off.
struct TLSGeneration: Sendable, Hashable {
    /// As the boundary has it.
    enum Mode: String, Sendable { case off, basic, enforced, mtls }

    var mode: Mode
    /// The leaf, then intermediates.
    var certificate = ""
    var privateKey = Secret("")
    /// Whom clients' certificates are of.
    var authority: String?

    static let off = TLSGeneration(mode: .off)

    /// The mode as the bus has it.
    var busMode: String { mode == .off ? "builtin" : mode.rawValue }
}

extension TLSGeneration {
    /// - Throws: `.storage` for what cannot be understood.
    init(json: JSONValue) throws(GuestAgentError) {
        guard let mode = json["mode"]?.stringValue.flatMap(Mode.init(rawValue:)) else {
            throw GuestAgentError(.storage, "the record of the engine's TLS cannot be understood")
        }
        self.mode = mode
        certificate = json["certificate"]?.stringValue ?? ""
        privateKey = Secret(json["private_key"]?.stringValue ?? "")
        authority = json["authority"]?.stringValue
    }

    /// With the private key.
    var json: JSONValue {
        guard mode != .off else { return ["mode": "off"] }
        var members: [String: JSONValue] = [
            "mode": .string(mode.rawValue), "certificate": .string(certificate),
            "private_key": .string(privateKey.revealed),
        ]
        if let authority { members["authority"] = .string(authority) }
        return .object(members)
    }
}

/// What the agent remembers of the engine's TLS, across agents: one file, so that it is never half of one thing and half of
/// another.
///
/// Shape: `tls.json`, 0600: `{"current": generation, "previous"?: generation, "next"?: generation, "restart_after"?: pid}`.
struct TLSRecord: Sendable {
    var current = TLSGeneration.off
    /// The one before, to go back to.
    var previous: TLSGeneration?
    /// What is being applied. There after an interruption: then nobody knows how far it came, and `current` is applied again.
    var next: TLSGeneration?
    /// The engine's process that must end before `current` is in effect.
    var restartAfter: Int32?

    /// - Returns: The record of an instance without TLS when there is no file.
    static func load(_ path: String) throws(GuestAgentError) -> TLSRecord {
        guard let json = try FileAccess.readJSON(path) else { return TLSRecord() }
        var record = TLSRecord()
        if let current = json["current"] { record.current = try TLSGeneration(json: current) }
        if let previous = json["previous"] { record.previous = try TLSGeneration(json: previous) }
        if let next = json["next"] { record.next = try TLSGeneration(json: next) }
        record.restartAfter = json["restart_after"]?.intValue.flatMap(Int32.init(exactly:))
        return record
    }

    func save(_ path: String) throws(GuestAgentError) {
        var members: [String: JSONValue] = ["current": current.json]
        if let previous { members["previous"] = previous.json }
        if let next { members["next"] = next.json }
        if let restartAfter { members["restart_after"] = .int(Int64(restartAfter)) }
        try FileAccess.writeJSON(.object(members), to: path)
    }

    /// What the engine's files must hold now: those of `next` and of `current` where only one has some, since the datastore
    /// may have kept either for its next start.
    var effective: TLSGeneration {
        guard var next else { return current }
        guard next.mode != .off else { return current }
        next.authority = next.authority ?? current.authority
        return next
    }
}
