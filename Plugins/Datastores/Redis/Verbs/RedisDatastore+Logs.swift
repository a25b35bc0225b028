// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension RedisDatastore: LogListing {
    /// The engine writes to its standard output, which the agent keeps in a file.
    func listLogs(call: Call) throws -> [EngineLog] {
        [
            EngineLog(
                name: "engine", kind: .system, file: files.instance.logDirectory + "/engine.log", isEnabled: true,
                summary: "Starts, stops, background writes and warnings of the engine.")
        ]
    }
}
