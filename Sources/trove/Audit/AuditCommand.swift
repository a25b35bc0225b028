// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BrokerAccounts
import Compute
import Model
import ObjectStore
import StateStore

/// Compares the ledger with what is on the host; works with the control plane up or down.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Compare what the ledger says with what is on this host and at the broker.",
        discussion: """
            Prints a line for each thing that is there and nobody owns ('stray'), and for each thing that should be there \
            and is not ('missing'). Exits 0 when there is none. What an operation in progress makes or removes is left out.
            """
    )

    @OptionGroup var home: HomeOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let home = home.home
        do {
            let installation = try Installation()
            let configuration = try await WorkerConfiguration.read(home, installation)
            guard let store = try await configuration.state.existing(home, logger: Log.make("audit")) else {
                throw StartError("\(home.path) is not a control plane's home")
            }
            let compute = try Seams.makeCompute(
                home: home, installation: installation, configuration: configuration, isObserver: true
            )
            let findings = try await Audit(
                store: store, compute: compute, objects: DirectoryObjectStore(root: home.backups),
                accounts: try configuration.bus.administration()
            ).run()
            await store.close()
            report(findings)
            if !findings.isEmpty { throw ExitCode(1) }
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(2)
        } catch let error as StateStoreError {
            Output.error(error.message)
            throw ExitCode(2)
        } catch let error as ComputeError {
            Output.error(error.message)
            throw ExitCode(2)
        } catch let error as BrokerAccountError {
            Output.error(error.message)
            throw ExitCode(2)
        } catch let error as ObjectStoreError {
            Output.error(error.message)
            throw ExitCode(2)
        }
    }

    private func report(_ findings: [Audit.Finding]) {
        guard json else {
            for finding in findings { Output.line(finding.description) }
            if findings.isEmpty { Output.line("audit: ledger and host agree") }
            return
        }
        let items = findings.map { finding -> JSONValue in
            [
                "finding": .string(finding.verdict.rawValue), "kind": .string(finding.kind),
                "tag": .string(finding.tag),
                "owner": .optional(finding.ownerID),
            ]
        }
        Output.line(JSONValue.array(items).text)
    }
}
