// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Model
import StateStore

/// Adopts what a database of the reference service holds.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take over what a database of the reference service holds (release 21, October 2023, or later).",
        discussion: """
            Datastores, versions, instances, backups, faults and quotas are added to the state database, with their ids; what \
            is there already stays as it is, so that the command can be repeated. The source is read and not changed. Stop \
            its services first, and give this control plane the key that they seal instances' keys with. The password of \
            --from comes from TROVE_IMPORT_PASSWORD or --password-file.
            """
    )

    @OptionGroup var home: HomeOption

    @Option(help: ArgumentHelp("The source, scheme://user@host[:port]/database.", valueName: "url"))
    var from: String

    @Option(help: ArgumentHelp("A file with the source's password.", valueName: "file"))
    var passwordFile: String?

    @Option(help: ArgumentHelp("Authorities that the source's certificate is verified against.", valueName: "file"))
    var caFile: String?

    @Flag(help: "Say what would be taken and write nothing.")
    var dryRun = false

    func run() async throws {
        do {
            let source = StateStoreConfiguration(
                url: from, password: try password(), caFile: caFile, tls: caFile == nil ? .preferred : .verify,
                poolSize: 1, timeout: .seconds(60))
            let store = try await dryRun ? nil : openStore()
            do {
                report(try await ReferenceImport.run(from: source, into: store))
                await store?.close()
            } catch {
                await store?.close()
                throw error
            }
        } catch let error as StartError {
            Output.error(error.message)
            throw ExitCode(2)
        } catch let error as StateStoreError {
            Output.error(error.message)
            throw ExitCode(2)
        }
    }

    private func openStore() async throws -> any StateStore {
        let configuration = try await WorkerConfiguration.read(home.home, try Installation())
        return try await StateStoreFactory.open(
            configuration.state.store(home.home), logger: Log.make("import"))
    }

    private func password() throws -> Secret? {
        if let text = Environment.value("TROVE_IMPORT_PASSWORD") { return Secret(text) }
        guard let path = passwordFile else { return nil }
        var status = stat()
        guard stat(path, &status) == 0, let bytes = Files.contents(path, limit: 4096) else {
            throw StartError("the password file \(path) cannot be read")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw StartError("everybody may read the password file \(path); chmod 600 it")
        }
        var text = String(decoding: bytes, as: UTF8.self)
        while let last = text.last, last.isNewline { text.removeLast() }
        return Secret(text)
    }

    private func report(_ report: ReferenceImport.Report) {
        for count in report.counts {
            let there = count.found - count.added
            Output.line(
                "\(count.noun): \(count.added) \(dryRun ? "to take" : "taken")"
                    + (there > 0 ? ", \(there) here already" : ""))
        }
        for note in report.notes { Output.line("note: \(note)") }
    }
}
