// SPDX-License-Identifier: Apache-2.0

package import Model
package import StateStore

/// How far a periodic report has come, kept in the state store so that whoever does it next goes on there.
package struct PeriodMark: Sendable, Hashable {
    /// End of the period that is reported on.
    package var ending: Timestamp
    /// What the report has come to; nil before the first.
    package var after: String?
    package var isDone: Bool

    package init(ending: Timestamp, after: String? = nil, isDone: Bool = false) {
        self.ending = ending
        self.after = after
        self.isDone = isDone
    }

    /// The report to make now: one that was begun goes on, else that of the last whole period, unless it is made.
    ///
    /// Periods begin at multiples of their length since 1970, so everyone has the same ones.
    package static func due(
        _ name: String, every interval: Duration, _ transaction: any StateTransaction
    ) throws -> PeriodMark? {
        let length = max(1, interval.microseconds)
        let ending = Timestamp(microseconds: try transaction.now.microseconds / length * length)
        guard let kept = try find(name, transaction) else { return PeriodMark(ending: ending) }
        guard kept.isDone else { return kept }
        return kept.ending < ending ? PeriodMark(ending: ending) : nil
    }

    package func save(_ name: String, _ transaction: any StateTransaction) throws {
        let value: JSONValue = [
            "ending": .int(ending.microseconds), "after": .optional(after), "is_done": .bool(isDone),
        ]
        _ = try transaction.pluginValues.put(pluginID: Outbox.owner, key: Self.key(name), value: value.text)
    }

    private static func find(_ name: String, _ transaction: any StateTransaction) throws -> PeriodMark? {
        guard let text = try transaction.pluginValues.find(pluginID: Outbox.owner, key: key(name))?.value,
            let value = try? JSONValue(parsing: text), case .int(let ending)? = value["ending"]
        else { return nil }
        return PeriodMark(
            ending: Timestamp(microseconds: ending), after: value["after"]?.stringValue,
            isDone: value["is_done"]?.boolValue ?? false)
    }

    private static func key(_ name: String) -> String { "period/\(name)" }
}
