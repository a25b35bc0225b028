// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import StateStore
import TaskManager

/// The process that serves; the parent starts it with the listening socket, the lifeline and the home's lock.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Serve behind a parent.", shouldDisplay: false
    )

    @OptionGroup var home: HomeOption

    @Option(help: "The address that the parent listens on.")
    var address: String

    @Option(name: .customLong("role"), help: "Roles to serve; default: all.")
    var roles: [Role] = []

    @Option(help: "Of this process's parent among those with its roles on this home.")
    var number = 1

    @Option(help: "Place among the workers of the parent.")
    var slot = 0

    @Option(name: .customLong("crash-at"))
    var crashAt: String?

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        OpenFileLimit.raise()
        do {
            let place = WorkerPlace(
                roles: roles.isEmpty ? Role.all : Set(roles), number: number, slot: slot, parent: getppid())
            let worker = try await Worker(
                home: home.home, address: ListenAddress(address), place: place,
                crashPoint: crashAt.flatMap(CrashPoint.init)
            )
            try await worker.run()
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(EX_CONFIG)
        } catch let error as StateStoreError {
            Output.error(error.message)
            throw ExitCode(error.isRetryable ? EX_TEMPFAIL : EX_CONFIG)
        }
    }
}
