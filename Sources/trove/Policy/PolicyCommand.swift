// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Policy

/// The operator's commands about who may do what.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Show the rules of who may do what, and explain a decision.",
        discussion: """
            $TROVE_HOME/config/policy.yaml puts rules in the place of the defaults: a name and a text such as \
            "rule:admin or role:operator". The control plane reads it at its start and on SIGHUP.
            """,
        subcommands: [CheckPolicyCommand.self, ListPolicyCommand.self, SamplePolicyCommand.self]
    )
}

/// Which rules a command reads.
struct PolicyOption: ParsableArguments {
    @OptionGroup var home: HomeOption

    @Option(help: ArgumentHelp("A policy file in place of the control plane's.", valueName: "file"))
    var file: String?

    /// - Throws: ends the command with 78 when the file is wrong.
    func rules() throws -> PolicyRules {
        do {
            if let file { return try PolicyFile.read(file) }
            let own = home.home.configuration + "/policy.yaml"
            return Files.exists(own) ? try PolicyFile.read(own) : PolicyRules()
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(EX_CONFIG)
        }
    }
}

/// Decides one action for one caller, and says how.
struct CheckPolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Decide an action for a caller, and say how: 'trove policy check --as member instance:create'.",
        discussion: "Exits 0 when it is allowed and 1 when it is denied."
    )

    @OptionGroup var policy: PolicyOption

    @Option(name: .customLong("as"), help: ArgumentHelp("The caller's roles, with commas.", valueName: "role,…"))
    var roles: String

    @Option(help: "The caller's project.")
    var project = "caller-project"

    @Option(help: "The caller's user id.")
    var user = "caller"

    @Option(help: "The project that owns what the action is about; the caller's own without it.")
    var targetProject: String?

    @Argument(help: ArgumentHelp("A rule's name; 'trove policy list' has them.", valueName: "action"))
    var action: String

    func run() throws {
        let rules = try policy.rules()
        var caller = PolicyCredentials(
            userID: user, projectID: project,
            roles: roles.split(separator: ",").map(String.init).filter { !$0.isEmpty }, isAdmin: false)
        caller.isAdmin = rules.makesAdministrator(caller)
        let owner = targetProject ?? project
        let explanation = rules.explain(action, caller, PolicyTarget(projectID: owner))
        let outcome = explanation.isAllowed ? "allowed" : "denied"
        Output.line("\(action) of project \(owner): \(outcome) for \(roles) of project \(project)")
        if !rules.names.contains(action) {
            Output.line("  no rule has this name, so that '\(PolicyDefaults.fallback)' decides")
        }
        for line in explanation.lines {
            let indent = String(repeating: "  ", count: line.depth + 1)
            Output.line("\(indent)\(line.holds ? "yes" : "no ")  \(line.text)")
        }
        for warning in rules.warnings { Output.error(warning) }
        if !explanation.isAllowed { throw ExitCode(1) }
    }
}

/// Prints the rules in force.
struct ListPolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Print every rule that is in force, with its text."
    )

    @OptionGroup var policy: PolicyOption

    func run() throws {
        let rules = try policy.rules()
        for name in rules.names { Output.line("\(name): \"\(rules.text(of: name))\"") }
        for warning in rules.warnings { Output.error(warning) }
    }
}

/// Prints the defaults as a file to begin with.
struct SamplePolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Print a policy file that has every default as a comment."
    )

    func run() {
        Output.line(
            """
            # Who may do what: rules in the place of the defaults below. Copy this to $TROVE_HOME/config/policy.yaml, take the '#'
            # off a rule and change its text; 'trove policy check --as ROLE ACTION' explains a decision. SIGHUP reads it again.
            #
            # Checks: role:NAME, rule:NAME, project_id:%(project_id)s (the owner's project), user_id:ID, is_admin:True,
            # joined by and, or, not and parentheses; "" or "@" is everybody with a token, "!" nobody.
            """)
        for (name, text) in PolicyDefaults.rules { Output.line("#\"\(name)\": \"\(text)\"") }
    }
}
