// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

extension RedisPolicy: ParameterCatalogue {
    static func parameters(version: String) throws -> [Parameter] { Catalogue.settings.map(\.parameter) }

    static func validateConfiguration(_ values: [String: JSON], version: String) throws {
        let overrides = try Settings.overrides(values.filter { !$0.value.isNull })
        func words(_ name: String) -> [String]? { overrides.first { $0.name == name }?.words }
        guard !(words("appendonly") == ["no"] && words("save") == [""]) else {
            throw PluginFailure(
                .invalidArgument,
                "The settings 'appendonly' and 'save' cannot both be off: the data would be lost with the next stop.")
        }
    }
}

extension RedisPolicy: UpgradePlanning {
    /// Files of an older release are read by a newer one, not the other way round.
    static func planUpgrade(from: String, to: String) throws -> UpgradePlan {
        guard let old = release(from), let new = release(to) else {
            throw PluginFailure(.preconditionFailed, "There is no upgrade from version \(from) to version \(to).")
        }
        guard !new.lexicographicallyPrecedes(old) else {
            throw PluginFailure(
                .preconditionFailed, "Version \(to) is older than version \(from) and cannot read its data.")
        }
        return UpgradePlan(isRestart: true, seconds: 5, isReversible: Array(new.prefix(2)) == Array(old.prefix(2)))
    }

    /// Numbers of a version, `7.0` as 7 and 0; `nil` for one that is not of the releases this plugin knows.
    private static func release(_ version: String) -> [Int]? {
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count >= 2, numbers[0] == 7, !numbers.contains(nil) else { return nil }
        return numbers.compactMap { $0 }
    }
}

extension Setting {
    /// As the catalogue shows it.
    var parameter: Parameter {
        func make(_ kind: Parameter.Kind, _ range: ClosedRange<Int64>? = nil, choices: [JSON]? = nil) -> Parameter {
            Parameter(
                name: name, kind: kind, minimum: range.map { Double($0.lowerBound) },
                maximum: range.map { Double($0.upperBound) }, choices: choices, initial: initial.isNull ? nil : initial,
                isRestartRequired: isRestartRequired, summary: summary)
        }
        switch kind {
        case .integer(let range): return make(.integer, range)
        case .boolean: return make(.boolean)
        case .choice(let choices): return make(.string, choices: choices.map(JSON.string))
        case .savePoints, .letters: return make(.string)
        }
    }
}
