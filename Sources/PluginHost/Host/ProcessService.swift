// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// `trove.process/1`.
enum ProcessService {
    static let stdoutLimit = 1 << 20
    static let stderrLimit = 64 << 10

    static var table: trove_process_1 {
        trove_process_1(
            size: UInt32(MemoryLayout<trove_process_1>.size), flags: 0,
            run: { call, request, input, output, response in
                ProcessService.run(call, request, input, output, response)
            }
        )
    }

    private static func run(
        _ token: OpaquePointer?, _ request: trove_str, _ input: Int32, _ output: Int32,
        _ response: UnsafeMutablePointer<trove_str>?
    ) -> trove_status {
        response?.pointee = trove_str()
        guard let call = CallTable.shared.find(token, "process.run") else {
            return trove_status(TROVE_PRECONDITION_FAILED)
        }
        do throws(PluginError) {
            var child = try parse(request, call)
            child.input = input
            child.output = output
            let ending = try finish(child.run(), call, program: child.argv[0])
            response?.pointee = call.borrow(ending.serialized)
            return trove_status(TROVE_OK)
        } catch {
            call.record(error)
            return error.code.status
        }
    }

    private static func parse(_ request: trove_str, _ call: PluginCall) throws(PluginError) -> ChildProcess {
        func invalid(_ message: String) -> PluginError {
            PluginError(.invalidArgument, pluginID: call.host.id, "process request: \(message)")
        }
        let document: JSONValue
        do { document = try JSONValue(parsing: Borrowed.bytes(request)) } catch { throw invalid(error.message) }
        let argv = (document["argv"]?.arrayValue ?? []).map(\.stringValue)
        guard let program = argv.first ?? nil, program.hasPrefix("/"),
            !argv.contains(where: { $0?.contains("\0") ?? true })
        else { throw invalid("argv must be a list of text that starts with an absolute path") }
        var child = ChildProcess(argv: argv.compactMap(\.self), deadline: call.options.deadline.instant)
        for (name, value) in document["env"]?.objectValue ?? [:] {
            guard let value = value.stringValue, !name.isEmpty, !name.contains("="), !(name + value).contains("\0")
            else {
                throw invalid("env must be an object of text")
            }
            child.environment[name] = value
        }
        if let directory = document["directory"]?.stringValue {
            guard directory.hasPrefix("/") else { throw invalid("directory must be an absolute path") }
            child.directory = directory
        }
        switch document["as"]?.stringValue {
        case "agent": break
        case "engine":
            guard let confinement = call.host.confinement else {
                throw PluginError(.unsupported, pluginID: call.host.id, "this process has no engine to run programs as")
            }
            child.confinement = confinement
        default: throw invalid("as must be engine or agent")
        }
        if let limit = document["timeout_s"]?.doubleValue {
            guard limit > 0, limit < 1e9 else { throw invalid("timeout_s must be positive") }
            child.deadline = min(child.deadline, .now + .seconds(limit))
        }
        child.cancelFD = call.cancelFD()
        child.stdoutLimit = stdoutLimit
        child.stderrLimit = stderrLimit
        return child
    }

    private static func finish(
        _ result: Result<ChildProcess.Ending, ChildProcess.Failure>, _ call: PluginCall, program: String
    ) throws(PluginError) -> JSONValue {
        switch result {
        case .failure(let failure):
            let code: PluginError.Code = failure.isMissing ? .notFound : .unavailable
            throw PluginError(code, pluginID: call.host.id, "\(program) cannot be started: \(failure.message)")
        case .success(let ending):
            switch ending.stopped {
            case .cancelled where call.stopReason != .timedOut:
                throw PluginError(.cancelled, pluginID: call.host.id, "\(program) was stopped")
            case .cancelled, .timedOut:
                throw PluginError(.timedOut, pluginID: call.host.id, "\(program) did not end in time")
            case nil:
                return .object([
                    "exit_status": .optional(ending.exitStatus.map(Int.init)),
                    "signal": .optional(ending.signal.map(Int.init)),
                    "stdout": .string(String(decoding: ending.stdout, as: UTF8.self)),
                    "stderr_tail": .string(String(decoding: ending.stderrTail, as: UTF8.self)),
                ])
            }
        }
    }
}
