// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension MariaDBPolicy: ParameterCatalogue {
    static func parameters(version: String) throws -> [Parameter] { ServerVariables.all.map(\.parameter) }

    static func validateConfiguration(_ values: [String: JSON], version: String) throws {
        _ = try Settings.overrides(values.filter { !$0.value.isNull })
    }
}

extension MariaDBPolicy: UpgradePlanning {
    /// Within one series, e.g. from 10.11.6 to 10.11.11. The data of a newer release may not be read by an older one.
    static func planUpgrade(from: String, to: String) throws -> UpgradePlan {
        guard let old = numbers(from), let new = numbers(to), old.prefix(2) == new.prefix(2) else {
            throw PluginFailure(
                .preconditionFailed,
                "There is no upgrade from version \(from) to version \(to): only within one series, e.g. 10.11.")
        }
        guard !new.lexicographicallyPrecedes(old) || new.count < old.count else {
            throw PluginFailure(.preconditionFailed, "Version \(to) is older than version \(from).")
        }
        return UpgradePlan(isRestart: true, seconds: 20, isReversible: new == old)
    }

    private static func numbers(_ version: String) -> [Int]? {
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        return numbers.count >= 2 && !numbers.contains(nil) ? numbers.compactMap { $0 } : nil
    }
}
