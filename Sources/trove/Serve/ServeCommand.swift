// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TaskManager

/// Runs the control plane in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the control plane in the foreground.",
        discussion: """
            Prints 'trove: ready URL' once it serves; $TROVE_HOME/openrc and clouds.yaml hold what clients need. SIGTERM \
            stops it cleanly, databases keep running, and the next start adopts them. SIGHUP reads the datastore files again.

            Files in $TROVE_HOME/config take the place of the sample configuration's, plugins in $TROVE_HOME/plugins come \
            beside those that are installed. TROVE_LOG_LEVEL (default notice) says how much is logged on standard error.

            Without --role one process is everything, and the only one of its home. With it, any number of processes share the \
            work, on any number of hosts: 'state.url', 'bus.url' and 'identity.url' in trove.yaml say where they meet. SIGUSR2 \
            then replaces the workers by the program that is installed now, without a refused connection.

            As root, each database has a user, a volume and limits of its own; as another user it has none of them.
            """
    )

    @OptionGroup var home: HomeOption

    @Option(
        name: .customLong("role"),
        help: ArgumentHelp(
            "Serve this role alone: api, taskmanager or conductor; may be given several times. Default: all.",
            valueName: "role"
        )
    )
    var roles: [Role] = []

    @Option(
        help: ArgumentHelp(
            "Address and port to listen on (TROVE_LISTEN; default 127.0.0.1:8779). Port 0 takes a free one.",
            valueName: "address:port"
        )
    )
    var listen: String?

    @Option(
        name: .customLong("crash-at"),
        help: ArgumentHelp(
            """
            Recovery drill: end the whole control plane as kill -9 would when a flow reaches this point, e.g. \
            create_instance/volume/after_effect ('trove flows' lists them).
            """,
            valueName: "point"
        )
    )
    var crashAt: String?

    func run() async throws {
        if let crashAt, CrashPoint(crashAt) == nil {
            throw ValidationError("'\(crashAt)' is no point of any flow; 'trove flows' lists them.")
        }
        do {
            let address = try ListenAddress(listen ?? Environment.value("TROVE_LISTEN") ?? "127.0.0.1:8779")
            let roles = roles.isEmpty ? Role.all : Set(roles)
            let configuration = try await WorkerConfiguration.read(home.home, try Installation())
            try configuration.check(roles)
            let supervisor = try Supervisor(
                home: home.home, roles: roles, address: address,
                workerCount: roles == [.api] ? configuration.apiWorkers : 1,
                hasTLS: configuration.tlsCertificate != nil, crashAt: crashAt)
            throw ExitCode(try supervisor.run())
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(EX_CONFIG)
        }
    }
}

/// What commands print for a person.
enum Output {
    static func line(_ text: String) {
        var bytes = Array((text + "\n").utf8)
        _ = write(STDOUT_FILENO, &bytes, bytes.count)
    }

    static func error(_ text: String) {
        var bytes = Array(("trove: " + text + "\n").utf8)
        _ = write(STDERR_FILENO, &bytes, bytes.count)
    }
}
