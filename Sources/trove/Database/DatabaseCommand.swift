// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Model
import StateStore

/// The schema of the state database.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "Look at and upgrade the schema of the state database.",
        subcommands: [StatusCommand.self, UpgradeCommand.self, SchemaCheckCommand.self, ImportCommand.self]
    )

    /// Runs `body` with the schema of the database that the settings name.
    ///
    /// - Throws: `ExitCode` 2 after a line on standard error.
    static func administer(
        _ option: HomeOption, _ body: (any SchemaAdministration) async throws -> Void
    ) async throws {
        do {
            let home = option.home
            let configuration = try await WorkerConfiguration.read(home, try Installation())
            let schema = try StateStoreFactory.schema(configuration.state.store(home), logger: Log.make("schema"))
            try await body(schema)
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(2)
        } catch let error as StateStoreError {
            Output.error(error.message)
            throw ExitCode(2)
        }
    }
}

extension DatabaseCommand {
    struct StatusCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Say which migrations the state database has and which it lacks.",
            discussion: "Exits 0 when it has what this program needs, 1 when it lacks some or a newer program wrote it."
        )

        @OptionGroup var home: HomeOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await DatabaseCommand.administer(home) { schema in
                let status = try await schema.status()
                if json {
                    Output.line(Self.document(status).text)
                } else {
                    Self.list(status)
                }
                if !status.isComplete { throw ExitCode(1) }
            }
        }

        private static func list(_ status: SchemaStatus) {
            Output.line("\(status.server): schema \(status.current) of \(status.newest)")
            for step in status.steps {
                let state = step.applied.map { "applied \($0.text)Z" } ?? "missing"
                Output.line("  \(step.number) \(step.name): \(step.number > status.newest ? "unknown, " : "")\(state)")
            }
            if status.isNewer {
                Output.line(
                    status.isUsable
                        ? "a newer program wrote it; this one may go on until it is replaced"
                        : "a newer program wrote it; run that one")
            } else if !status.isComplete {
                Output.line("'trove db upgrade' applies what is missing")
            }
        }

        private static func document(_ status: SchemaStatus) -> JSONValue {
            let steps = status.steps.map { step -> JSONValue in
                [
                    "number": .int(Int64(step.number)), "name": .string(step.name),
                    "applied": .optional(step.applied?.text),
                ]
            }
            return [
                "server": .string(status.server), "current": .int(Int64(status.current)),
                "newest": .int(Int64(status.newest)), "migrations": .array(steps),
            ]
        }
    }

    struct UpgradeCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "upgrade",
            abstract: "Apply the migrations that the state database lacks.",
            discussion: """
                Migrations add and do not remove, so that processes of the release before go on meanwhile. One upgrade runs at \
                a time; one that was interrupted goes on where it stopped.
                """
        )

        @OptionGroup var home: HomeOption

        func run() async throws {
            try await DatabaseCommand.administer(home) { schema in
                let applied = try await schema.upgrade()
                for step in applied { Output.line("applied \(step.number) \(step.name)") }
                if applied.isEmpty { Output.line("nothing to do: schema \(try await schema.status().current)") }
            }
        }
    }

    struct SchemaCheckCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Compare tables, columns and indexes with what this program expects.",
            discussion: "Prints a line for each difference. Exits 0 when there is none, else 1."
        )

        @OptionGroup var home: HomeOption

        func run() async throws {
            try await DatabaseCommand.administer(home) { schema in
                let differences = try await schema.check()
                for difference in differences { Output.line(difference) }
                guard differences.isEmpty else { throw ExitCode(1) }
                Output.line("the schema is as expected")
            }
        }
    }
}
