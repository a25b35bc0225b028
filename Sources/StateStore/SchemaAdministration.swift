// SPDX-License-Identifier: Apache-2.0

package import Model

/// What an operator does with the schema: `trove db status|upgrade|check`.
package protocol SchemaAdministration: Sendable {
    /// What is there and what is missing; changes nothing.
    func status() async throws -> SchemaStatus
    /// Applies what is missing, one upgrade at a time; whatever an interrupted one did is not done again.
    ///
    /// - Returns: What was applied, in order; empty when nothing was missing.
    func upgrade() async throws -> [SchemaStatus.Step]
    /// Compares tables, columns and indexes with what this program expects of the schema that is recorded; changes nothing.
    ///
    /// - Returns: One sentence a difference; empty when there is none.
    func check() async throws -> [String]
}

/// How far a database's schema is.
package struct SchemaStatus: Sendable, Hashable {
    /// One migration.
    package struct Step: Sendable, Hashable {
        package var number: Int
        package var name: String
        /// nil: not yet.
        package var applied: Timestamp?
        /// The oldest schema whose programs may work on this one; nil: no program that does not know it.
        package var compatibleFrom: Int?

        package init(number: Int, name: String, applied: Timestamp?, compatibleFrom: Int? = nil) {
            self.number = number
            self.name = name
            self.applied = applied
            self.compatibleFrom = compatibleFrom
        }
    }

    /// What holds the database, for people: a path, or a server's product, release and address.
    package var server: String
    /// Ascending; those this program does not know too.
    package var steps: [Step]
    /// The newest schema this program knows.
    package var newest: Int

    package init(server: String, steps: [Step], newest: Int) {
        self.server = server
        self.steps = steps
        self.newest = newest
    }

    /// The schema that is there; 0 without one.
    package var current: Int { steps.last { $0.applied != nil }?.number ?? 0 }
    /// Whether a newer program wrote it.
    package var isNewer: Bool { current > newest }
    package var isComplete: Bool { current == newest && steps.allSatisfy { $0.applied != nil } }
    /// Whether this program may work on it: it lacks nothing, and what a newer program added lets this one go on.
    package var isUsable: Bool {
        steps.allSatisfy { step in
            step.number > newest
                ? step.compatibleFrom.map { $0 <= newest } ?? (step.applied == nil) : step.applied != nil
        }
    }
}
