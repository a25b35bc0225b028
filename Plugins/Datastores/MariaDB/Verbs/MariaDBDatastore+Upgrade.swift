// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBDatastore: DataUpgrade {
    /// The server converts its files at the start; only the configuration is new.
    func upgrade(_ request: UpgradeRequest, call: Call) throws {
        if let contents = request.configContents { try keep(configContents: contents) }
    }
}

extension MariaDBDatastore: UpgradeCompletion {
    /// Brings the system tables to the new version. A repeat finds nothing to do.
    func postUpgrade(_ request: UpgradeRequest, call: Call) throws {
        let access = try backupAccess(call: call)
        let login = files.instance.runDirectory + "/upgrade.cnf"
        let text =
            "[client]\nsocket = \"\(files.socketPath)\"\nuser = \(access.user)\npassword = \"\(access.password)\"\n"
        // Not in the arguments, which every process may read.
        try PluginFiles.write(text, to: login, PluginFiles.Access(mode: 0o400, owner: files.owner))
        defer { try? PluginFiles.remove(login) }
        call.progress(nil, "bringing the system tables to version \(request.to)")
        // Where it says which version the tables have; on the volume, in a directory of the engine's.
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        let result = try Host.run(
            Command(
                [Programs.upgrader, "--defaults-file=\(login)", "--force", "--silent"], as: .engine,
                environment: environment, directory: files.instance.runDirectory), call: call)
        guard result.isSuccess else {
            throw PluginFailure(
                .internal, "\(Programs.upgrader) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }
}
