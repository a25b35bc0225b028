// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLDatastore: LogAdministration {
    /// The engine writes to its standard error, which the agent keeps in one file. The general log is that file while statements
    /// go there too.
    func listLogs(call: Call) throws -> [EngineLog] {
        let file = files.instance.logDirectory + "/engine.log"
        return [
            EngineLog(
                name: "engine", kind: .system, file: file, isEnabled: true,
                summary: "Starts, stops, errors and checkpoints; statements too where the configuration says so."),
            EngineLog(
                name: "general", kind: .user, file: file, isEnabled: try prepared().isGeneralLogOn,
                summary: "What the engine says, and every statement."),
        ]
    }

    /// In effect at once, also in sessions that are open, and again after a restart.
    func setLog(_ name: String, isEnabled: Bool, call: Call) throws -> Bool {
        guard name == "general" else {
            guard name == "engine" else { throw PluginFailure(.notFound, "there is no log \(name)") }
            throw PluginFailure(.invalidArgument, "The log 'engine' is always on.")
        }
        let state = try prepared()
        try files.write(contents: state.configContents, isGeneralLogOn: isEnabled, tls: state.tls)
        do {
            try administer(call) { try reload($0) }
        } catch let failure as PluginFailure where failure.status == .unavailable {
            // One that is down has it with its next start.
        } catch {
            try files.write(
                contents: state.configContents, isGeneralLogOn: state.isGeneralLogOn, tls: state.tls)
            throw error
        }
        try keep(isGeneralLogOn: isEnabled)
        return false
    }
}
