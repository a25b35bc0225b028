// SPDX-License-Identifier: Apache-2.0

package import Model

extension ConformanceSupport {
    /// Runs a program as `trove.process/1` does. Blocks.
    ///
    /// - Parameters:
    ///   - request: The process-request document.
    ///   - input: Given to the child as descriptor 0; -1: nothing.
    ///   - output: Given as descriptor 1; -1: collected into the response.
    ///   - engine: Whom a program "as" the engine runs as.
    ///   - cancelFD: Readable when the program shall stop.
    /// - Returns: The process-response document, or why it could not be run to its end.
    package static func runProgram(
        _ request: JSONValue, input: Int32, output: Int32, engine: ProcessConfinement,
        deadline: ContinuousClock.Instant, cancelFD: Int32
    ) -> Result<JSONValue, PluginError> {
        let argv = (request["argv"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard let program = argv.first, program.hasPrefix("/"), let user = request["as"]?.stringValue,
            user == "engine" || user == "agent"
        else {
            return .failure(PluginError(.invalidArgument, "process request: argv and as are not what they must be"))
        }
        var child = ChildProcess(argv: argv, deadline: deadline)
        for (name, value) in request["env"]?.objectValue ?? [:] { child.environment[name] = value.stringValue ?? "" }
        child.directory = request["directory"]?.stringValue
        if user == "engine" { child.confinement = engine }
        if let limit = request["timeout_s"]?.doubleValue { child.deadline = min(deadline, .now + .seconds(limit)) }
        child.input = input
        child.output = output
        child.cancelFD = cancelFD
        switch child.run() {
        case .failure(let failure):
            return .failure(
                PluginError(
                    failure.isMissing ? .notFound : .unavailable, "\(program) cannot be started: \(failure.message)"))
        case .success(let ending):
            switch ending.stopped {
            case .cancelled: return .failure(PluginError(.cancelled, "\(program) was stopped"))
            case .timedOut: return .failure(PluginError(.timedOut, "\(program) did not end in time"))
            case nil:
                return .success([
                    "exit_status": .optional(ending.exitStatus.map(Int.init)),
                    "signal": .optional(ending.signal.map(Int.init)),
                    "stdout": .string(String(decoding: ending.stdout, as: UTF8.self)),
                    "stderr_tail": .string(String(decoding: ending.stderrTail, as: UTF8.self)),
                ])
            }
        }
    }
}
