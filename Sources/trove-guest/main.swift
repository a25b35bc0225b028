// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the command line asks for.
enum Command {
    case run(configuration: String)
    case probe(file: String)
    case help
    case version
    case wrong(String)

    /// By hand: a parser library would be most of the agent's memory.
    init(_ arguments: [String]) {
        switch arguments.count {
        case 1 where arguments[0] == "--help" || arguments[0] == "-h": self = .help
        case 1 where arguments[0] == "--version": self = .version
        case 1 where arguments[0].hasPrefix("--config="): self = .run(configuration: String(arguments[0].dropFirst(9)))
        case 2 where arguments[0] == "--config": self = .run(configuration: arguments[1])
        case 2 where arguments[0] == "probe": self = .probe(file: arguments[1])
        case 0: self = .wrong("--config is missing")
        default: self = .wrong("cannot understand '\(arguments[0])'")
        }
    }
}

let usage = """
    usage: trove-guest --config <file>

    The agent of one database instance: prepares, watches, backs up and reports it.

      --config <file>   the instance's guest.json
      --version         print the version
      --help            print this text

    Exit status: 0 when it was told to end, or another agent of the instance lives; 1 on an error; 64 for a wrong command.
    """

switch Command(Array(CommandLine.arguments.dropFirst())) {
case .help: print(usage)
case .version: print("trove-guest \(AgentMain.version)")
case .probe(let file): exit(AgentMain.probe(file))
case .run(let path): AgentMain.start(path)
case .wrong(let reason):
    AgentMain.complain("\(reason)\n\(usage)")
    exit(64)
}
