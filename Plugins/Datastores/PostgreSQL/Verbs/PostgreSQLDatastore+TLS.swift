// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLDatastore: TLSAdministration {
    /// Without a restart: the server reads certificates, and who may log in how, with its configuration.
    func applyTLS(_ request: TLSRequest, call: Call) throws -> Bool {
        let (state, new) = (try prepared(), TLSState(request))
        try files.write(contents: state.configContents, isGeneralLogOn: state.isGeneralLogOn, tls: new)
        do {
            try administer(call) { administration in
                try takeBack(TLSState.names, administration)
                try reload(administration)
            }
        } catch let failure as PluginFailure where failure.status == .unavailable {
            // A server that is down, perhaps because of its TLS, has the new one with its next start.
            try keep(tls: new)
            return true
        } catch {
            try files.write(contents: state.configContents, isGeneralLogOn: state.isGeneralLogOn, tls: state.tls)
            throw error
        }
        if new.mode != .off { try proveEncryption(call) }
        try keep(tls: new)
        return false
    }

    func tlsStatus(call: Call) throws -> TLSStatus {
        let mode = try prepared().tls.mode
        let rows = try administer(call) { try $0.run("SELECT current_setting('ssl')", "read the state of TLS") }
        return TLSStatus(isOn: rows.first?[0] == "on", mode: mode)
    }

    /// A server that cannot use a certificate says so in its log alone, and goes on without. It takes a new one after it has
    /// told its sessions of the new configuration, so one refusal is none yet.
    private func proveEncryption(_ call: Call) throws {
        for attempt in 1... {
            do {
                return try logInEncrypted(call)
            } catch let failure as PluginFailure {
                guard attempt < 100, failure.status != .cancelled, failure.status != .timedOut else {
                    throw PluginFailure(
                        .preconditionFailed, "the engine does not take the certificate: \(failure.message)")
                }
                Wait.pause(call, milliseconds: 50)
            }
        }
    }
}
