// SPDX-License-Identifier: Apache-2.0

import API

/// A store of sealed backups in which everything below `file:///store/<project>/` is one, but for what is named after a refusal.
struct TestSealedBackups: SealedBackups {
    func find(_ location: String, project: String) async throws(SealedBackupRefusal) -> String {
        guard location.hasPrefix("file:///store/") else { throw .elsewhere }
        guard location.hasPrefix("file:///store/\(project)/") else { throw .missing }
        for refusal in SealedBackupRefusal.allCases where location.hasSuffix("/\(refusal)") { throw refusal }
        return location
    }
}
