// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension PostgreSQLPolicy: ParameterCatalogue {
    static func parameters(version: String) throws -> [Parameter] { Catalogue.settings.map(\.parameter) }

    static func validateConfiguration(_ values: [String: JSON], version: String) throws {
        _ = try Settings.overrides(values.filter { !$0.value.isNull })
        guard let least = values["min_wal_size"]?.intValue, let most = values["max_wal_size"]?.intValue, least > most
        else { return }
        throw PluginFailure(
            .invalidArgument, "The parameter 'min_wal_size' (\(least)) must not be above 'max_wal_size' (\(most)).")
    }
}

extension PostgreSQLPolicy: UpgradePlanning {
    /// Releases of one major version have one form of data; another one's programs do not read them.
    static func planUpgrade(from: String, to: String) throws -> UpgradePlan {
        let (old, new) = (try Programs(version: from).major, try Programs(version: to).major)
        guard old == new else {
            throw PluginFailure(
                .preconditionFailed,
                "There is no upgrade in place from PostgreSQL \(old) to \(new); make an instance of the new version and "
                    + "load a dump of the old one into it.")
        }
        return UpgradePlan(isRestart: true, seconds: 5, isReversible: true)
    }
}
