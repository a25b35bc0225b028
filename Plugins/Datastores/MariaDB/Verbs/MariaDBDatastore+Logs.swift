// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: LogAdministration {
    /// The error log is the server's error output, which the agent keeps; the other two are the server's own files.
    func listLogs(call: Call) throws -> [EngineLog] {
        let isOn = try statesOfLogs(call)
        let logs = files.instance.logDirectory
        return [
            EngineLog(
                name: "error", kind: .system, file: logs + "/engine.log", isEnabled: true,
                summary: "Starts, stops, warnings and errors of the server."),
            EngineLog(
                name: "general", kind: .user, file: files.generalLogPath, isEnabled: isOn.general,
                summary: "Every statement."),
            EngineLog(
                name: "slow_query", kind: .user, file: files.slowLogPath, isEnabled: isOn.slow,
                summary: "Statements that take longer than long_query_time."),
        ]
    }

    /// As the server says; of one that is down, as it was asked for last: its error log is wanted then most of all.
    private func statesOfLogs(_ call: Call) throws -> (general: Bool, slow: Bool) {
        do {
            let rows = try administer(call) {
                try $0.run("SELECT @@global.slow_query_log, @@global.general_log", "list logs")
            }
            return (rows.first?[1] == "1", rows.first?[0] == "1")
        } catch let failure as PluginFailure where failure.status == .unavailable {
            return (isKept(log: "general_log"), isKept(log: "slow_query_log"))
        }
    }

    /// In effect at once, and again after a restart.
    func setLog(_ name: String, isEnabled: Bool, call: Call) throws -> Bool {
        let variables = ["general": "general_log", "slow_query": "slow_query_log"]
        guard let variable = variables[name] else {
            guard name == "error" else { throw PluginFailure(.notFound, "there is no log \(name)") }
            throw PluginFailure(.invalidArgument, "The log 'error' is always on.")
        }
        _ = try administer(call) {
            try $0.run("SET GLOBAL \(variable) = \(isEnabled ? "ON" : "OFF")", "set \(variable)")
        }
        try keep(log: variable, isEnabled: isEnabled)
        return false
    }
}
