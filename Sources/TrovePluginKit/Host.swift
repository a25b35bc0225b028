// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// What the host does for plugins.
///
/// A service that the plugin cannot do without is listed under `requires` in its manifest, so the host refuses the
/// plugin before it could miss it.
public enum Host {
    /// How much a log line matters.
    public enum LogLevel: Int32, Sendable {
        /// Steps of an algorithm.
        case trace = 0
        /// For those who look for a bug.
        case debug = 1
        /// Trouble that cannot be thrown.
        case info = 2
        /// A change of state that an operator acts on.
        case notice = 3
        /// Degraded.
        case warning = 4
        /// An operation failed.
        case error = 5
        /// The plugin cannot work.
        case critical = 6
    }

    /// Writes one line to the host's log.
    ///
    /// - Parameters:
    ///   - level: How much it matters.
    ///   - message: Constant text.
    ///   - fields: Data, without secrets.
    ///   - call: The call that it belongs to, if any.
    public static func log(_ level: LogLevel, _ message: String, _ fields: [String: JSON] = [:], call: Call? = nil) {
        guard let host = Runtime.host, let log = Runtime.log?.pointee.log else { return }
        let text = fields.isEmpty ? "" : JSON.object(fields).text
        message.withTroveString { message in
            text.withTroveString { log(host, call?.handle, level.rawValue, message, $0) }
        }
    }

    /// The plugin's own section of the operator's configuration, an object.
    public static var configuration: JSON {
        guard let host = Runtime.host, let get = Runtime.config?.pointee.get,
            let section = try? JSON(borrowed: get(host)), section.objectValue != nil
        else { return .object([:]) }
        return section
    }

    /// Runs a program to its end, through `trove.process/1`.
    ///
    /// - Parameters:
    ///   - command: What to run and as whom.
    ///   - input: Descriptor that becomes the child's 0; `nil` for nothing. Not closed.
    ///   - output: Descriptor that becomes the child's 1; `nil` collects up to 1 MiB. Not closed.
    ///   - call: The operation; its cancellation and its deadline kill the child.
    /// - Returns: How the program ended, whatever its exit status.
    /// - Throws: `PluginFailure` if it could not be started, `.cancelled`, `.timedOut`; the host has recorded it, so
    ///   letting it pass is enough.
    public static func run(
        _ command: Command, input: Int32? = nil, output: Int32? = nil, call: Call
    ) throws -> CommandResult {
        guard let run = Runtime.process?.pointee.run else { throw missing("trove.process/1") }
        var response = trove_str(ptr: nil, len: 0)
        let status = command.json.text.withTroveString { run(call.handle, $0, input ?? -1, output ?? -1, &response) }
        guard status == Int32(TROVE_OK) else {
            throw PluginFailure(
                recorded: PluginStatus(code: status), message: "\(command.argv.first ?? "a program") did not run")
        }
        return CommandResult(json: try JSON(borrowed: response))
    }

    /// Runs one of the control plane's own operations, through `trove.control/1`, as the caller of the request.
    ///
    /// - Parameters:
    ///   - operation: E.g. `guest.call`.
    ///   - request: The operation's document.
    ///   - call: The request being served.
    /// - Returns: The operation's answer.
    /// - Throws: `PluginFailure`; the host has recorded it, so letting it pass is enough.
    public static func control(_ operation: String, _ request: JSON, call: Call) throws -> JSON {
        guard let control = Runtime.control?.pointee.call else { throw missing("trove.control/1") }
        var response = trove_str(ptr: nil, len: 0)
        let status = operation.withTroveString { operation in
            request.text.withTroveString { control(call.handle, operation, $0, &response) }
        }
        guard status == Int32(TROVE_OK) else {
            throw PluginFailure(recorded: PluginStatus(code: status), message: "\(operation) failed")
        }
        return response.len == 0 ? .null : try JSON(borrowed: response)
    }

    static func missing(_ service: String) -> PluginFailure {
        PluginFailure(.preconditionFailed, "the host does not offer \(service)")
    }
}

/// A program to run: `process-request`.
public struct Command: Sendable {
    /// Whose rights a program has.
    public enum User: String, Sendable {
        /// The instance's own uid, inside its limits.
        case engine
        /// The agent itself.
        case agent
    }

    /// Absolute path and arguments. No shell, no secrets.
    public var argv: [String]
    /// The child's environment, beside what the host gives.
    public var environment: [String: String]
    /// Working directory; `nil` for the host's choice.
    public var directory: String?
    /// Whose rights it has.
    public var user: User
    /// Seconds after which it is killed; `nil` for the call's deadline alone.
    public var timeoutSeconds: Int?

    /// A program, its arguments, and whose rights it has.
    public init(
        _ argv: [String], as user: User, environment: [String: String] = [:], directory: String? = nil,
        timeoutSeconds: Int? = nil
    ) {
        self.argv = argv
        self.user = user
        self.environment = environment
        self.directory = directory
        self.timeoutSeconds = timeoutSeconds
    }

    var json: JSON {
        .members([
            "argv": .array(argv.map(JSON.string)),
            "env": environment.isEmpty ? nil : .object(environment.mapValues(JSON.string)),
            "directory": directory.map(JSON.string),
            "as": .string(user.rawValue),
            "timeout_s": timeoutSeconds.map { .int(Int64($0)) },
        ])
    }
}

/// How a program ended: `process-response`.
public struct CommandResult: Sendable {
    /// Exit status; `nil` if a signal ended it.
    public var exitStatus: Int?
    /// The signal that ended it.
    public var signal: Int?
    /// What it wrote to descriptor 1, if that was collected.
    public var standardOutput: String
    /// The end of what it wrote to descriptor 2, 64 KiB at most.
    public var standardErrorTail: String

    /// Whether it exited with status 0.
    public var isSuccess: Bool { exitStatus == 0 }

    init(json: JSON) {
        exitStatus = json["exit_status"]?.intValue
        signal = json["signal"]?.intValue
        standardOutput = json["stdout"]?.stringValue ?? ""
        standardErrorTail = json["stderr_tail"]?.stringValue ?? ""
    }

    /// One line for messages: the exit status or signal.
    public var summary: String {
        if let exitStatus { return "exit status \(exitStatus)" }
        if let signal { return "signal \(signal)" }
        return "unknown end"
    }

    /// The last line of the error output that is not empty.
    public var lastErrorLine: String {
        let lines = standardErrorTail.split(whereSeparator: \.isNewline)
        return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
    }
}
