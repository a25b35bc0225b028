// SPDX-License-Identifier: Apache-2.0

import RedisClient
import TrovePluginKit

/// A newer engine reads the files of an older one by itself; only the configuration is new.
extension RedisDatastore: DataUpgrade {
    func upgrade(_ request: UpgradeRequest, call: Call) throws {
        if let contents = request.configContents { try keep(configContents: contents) }
    }
}

extension RedisDatastore: UpgradePreparation {
    /// A background write is let come to its end, so that the stop is quick and what the new engine reads is whole.
    func preUpgrade(_ request: UpgradeRequest, call: Call) throws {
        let info = try administer(call) { EngineInfo(try $0.run(["INFO", "persistence"], "read the status")) }
        guard info.number("loading") == 0 else {
            throw PluginFailure(.preconditionFailed, "the engine is still loading its data; try again later")
        }
        guard info.values["aof_last_write_status"] != "err" else {
            throw PluginFailure(
                .preconditionFailed, "the engine cannot write its log of changes; the volume may be full")
        }
    }
}
