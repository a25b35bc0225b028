// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Model

/// How to start and stop the engine, as the datastore's plugin emits it.
///
/// Shape: `{"argv": [text], "env"?: {text: text}, "ready"?: "notify" | "tcp", "port"?, "stop_signal"?: "TERM",
/// "stop_timeout_s"?: 60, "start_timeout_s"?: 120}`; `argv[0]` is an absolute path.
package struct LaunchDocument: Sendable, Hashable {
    package enum Readiness: String, Sendable {
        /// The engine says `READY=1` on `NOTIFY_SOCKET`. Source: sd_notify(3).
        case notify
        /// The engine accepts a connection on its port.
        case tcp
    }

    package var argv: [String]
    package var environment: [String: String]
    package var readiness: Readiness
    package var port: Int
    /// A signal's number.
    package var stopSignal: Int32
    package var stopTimeout: Duration
    package var startTimeout: Duration

    /// - Throws: `.invalid` naming the member.
    package init(json: JSONValue, defaultPort: Int) throws(GuestAgentError) {
        argv = (json["argv"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard argv.count == json["argv"]?.arrayValue?.count, argv.first?.hasPrefix("/") == true,
            argv.allSatisfy({ !$0.utf8.contains(0) })
        else { throw Self.wrong("argv", "a list of texts that begins with an absolute path") }
        environment = [:]
        for (name, value) in json["env"]?.objectValue ?? [:] {
            guard let text = value.stringValue, !name.isEmpty, !name.contains("="), !name.utf8.contains(0),
                !text.utf8.contains(0)
            else { throw Self.wrong("env", "an object of texts") }
            environment[name] = text
        }
        guard let readiness = Readiness(rawValue: json["ready"]?.stringValue ?? Readiness.notify.rawValue) else {
            throw Self.wrong("ready", "\"notify\" or \"tcp\"")
        }
        self.readiness = readiness
        port = json["port"]?.intValue ?? defaultPort
        guard (0...65535).contains(port), readiness == .notify || port > 0 else {
            throw Self.wrong("port", "an integer from 1 to 65535")
        }
        guard let signal = Self.signals[json["stop_signal"]?.stringValue ?? "TERM"] else {
            throw Self.wrong("stop_signal", "the name of a signal without SIG")
        }
        stopSignal = signal
        stopTimeout = try Self.seconds(json, "stop_timeout_s", default: 60)
        startTimeout = try Self.seconds(json, "start_timeout_s", default: 120)
    }

    /// Tells launch documents apart in the engine's record.
    var digest: String { StableHash.digits(argv.joined(separator: "\0").utf8) }

    private static func seconds(
        _ json: JSONValue, _ name: String, default fallback: Int
    ) throws(GuestAgentError) -> Duration {
        let value = json[name].flatMap { $0.isNull ? nil : $0 } ?? .int(Int64(fallback))
        guard let seconds = value.doubleValue, seconds > 0, seconds <= 86_400 else {
            throw wrong(name, "a number of seconds above 0")
        }
        return .milliseconds(Int64(seconds * 1000))
    }

    private static func wrong(_ name: String, _ expected: String) -> GuestAgentError {
        GuestAgentError(.invalid, "the plugin's launch document: \(name) must be \(expected)")
    }

    private static let signals: [String: Int32] = [
        "TERM": SIGTERM, "INT": SIGINT, "QUIT": SIGQUIT, "HUP": SIGHUP, "USR1": SIGUSR1, "USR2": SIGUSR2,
        "KILL": SIGKILL,
    ]
}
