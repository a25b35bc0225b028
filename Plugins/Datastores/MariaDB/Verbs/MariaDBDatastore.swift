// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// One MariaDB instance, as its guest agent drives it.
final class MariaDBDatastore: TemplateInitialization, BackupAccessProvision {
    let files: ServerConfiguration
    private let session: Session
    private var state: InstanceState?

    init(instance: InstanceDocument, call: Call) throws {
        files = ServerConfiguration(instance: instance)
        session = Session(address: instance.address, port: instance.port)
        state = try InstanceState.load(files.statePath)
    }

    func close() { session.close() }

    // MARK: Lifecycle

    func initialize(call: Call) throws {
        let instance = files.instance
        let names = try PluginFiles.names(in: instance.dataDirectory)
        if names.contains("mysql"), try PluginFiles.read(files.initializedPath) != nil { return }
        guard names.isEmpty else {
            throw PluginFailure(
                .preconditionFailed, "\(instance.dataDirectory) is not empty; initialize a new directory")
        }
        try PluginFiles.write(FirstStart.template, to: files.templatePath, PluginFiles.Access(mode: 0o644))
        defer { try? PluginFiles.remove(files.templatePath) }
        call.progress(nil, "making the system tables")
        try run(installerArguments(), call)
        try run([Programs.sync, "-f", instance.dataDirectory], call)
        try PluginFiles.write("", to: files.initializedPath, .secret)
    }

    func prepare(_ request: PrepareRequest, call: Call) throws {
        let overrides = try Settings.overrides(request.overrides)
        let contents = request.configContents + (overrides.isEmpty ? "" : "\n" + Settings.group(overrides))
        if let password = request.rootPassword { try Names.check(password: password) }
        session.close()
        let new = InstanceState(
            password: state?.password ?? RandomPassword.make(length: 48), configContents: contents, isFirstStart: true,
            isRestored: request.isRestored, rootPassword: request.rootPassword, tls: state?.tls ?? TLSState())
        try new.save(files.statePath)
        state = new
        try writeStartFiles(new)
    }

    func launch(call: Call) throws -> LaunchDocument {
        let state = try prepared()
        try writeStartFiles(state)
        var argv = [Programs.server, "--defaults-file=\(files.optionPath)"]
        if state.isFirstStart { argv.append("--init-file=\(files.firstStartPath)") }
        return LaunchDocument(
            argv: argv, ready: .notify, port: files.instance.port, stopSignal: "TERM", stopTimeoutSeconds: 60,
            startTimeoutSeconds: 300)
    }

    func started(call: Call) throws {
        var state = try prepared()
        while true {
            do {
                try session.run(password: state.password, call: call) { _ = try $0.run("SELECT 1", "first query") }
                break
            } catch let failure as PluginFailure where failure.status == .unavailable {
                guard let left = call.timeLeft, left > .milliseconds(50) else { throw failure }
                pause(call, milliseconds: 20)
            }
        }
        try requireAsAsked(call)
        state = try prepared()
        guard state.isFirstStart else { return }
        // The file goes first: if the agent dies between the two, the next start makes the same accounts again.
        try PluginFiles.remove(files.firstStartPath)
        state.isFirstStart = false
        state.rootPassword = nil
        try state.save(files.statePath)
        self.state = state
    }

    func status(call: Call) throws -> EngineStatus {
        guard let state else { return EngineStatus(.unknown) }
        let query = """
            SELECT VARIABLE_VALUE, @@global.read_only FROM information_schema.GLOBAL_STATUS \
            WHERE VARIABLE_NAME = 'THREADS_CONNECTED'
            """
        do {
            let rows = try session.run(password: state.password, call: call) { try $0.run(query, "read the status") }
            let connections = rows.first?[0].flatMap { UInt32($0) } ?? 1
            return EngineStatus(
                rows.first?[1] == "1" ? .blocked : .healthy,
                dataBytes: FileSystem.bytesInUse(files.instance.dataDirectory),
                connections: connections > 0 ? connections - 1 : 0)
        } catch let failure as PluginFailure {
            switch failure.status {
            case .unavailable: return EngineStatus(.shutdown)
            case .exhausted, .permissionDenied: return EngineStatus(.blocked)
            default: throw failure
            }
        }
    }

    func backupAccess(call: Call) throws -> BackupAccess {
        BackupAccess(
            socket: files.socketPath, address: files.instance.address, port: files.instance.port,
            user: Session.administrator, password: try prepared().password,
            dataDirectory: files.instance.dataDirectory, configFile: files.optionPath)
    }

    // MARK: Parts

    /// Runs `body` with the administrator's connection.
    func administer<Result>(_ call: Call, _ body: (Connection) throws -> Result) throws -> Result {
        try session.run(password: try prepared().password, call: call, body)
    }

    /// Remembers the configuration of the next start.
    func keep(configContents: String) throws {
        try change { $0.configContents = configContents }
    }

    /// Remembers for the next start whether a log is on.
    func keep(log variable: String, isEnabled: Bool) throws {
        try change { $0.logs[variable] = isEnabled }
    }

    /// Whether the log was turned on last.
    func isKept(log variable: String) -> Bool { state?.logs[variable] ?? false }

    /// What the engine's TLS shall be.
    var tls: TLSState { state?.tls ?? TLSState() }

    /// Whether the accounts are those of the instance that a backup was taken of, and nothing has been done about them yet.
    var isJustRestored: Bool { state.map { $0.isFirstStart && $0.isRestored } ?? false }

    /// Remembers what the engine's TLS shall be.
    func keep(tls: TLSState) throws { try change { $0.tls = tls } }

    private func change(_ body: (inout InstanceState) -> Void) throws {
        var new = try prepared()
        body(&new)
        try new.save(files.statePath)
        state = new
    }

    private func prepared() throws -> InstanceState {
        guard let state else { throw PluginFailure(.preconditionFailed, "the instance has not been prepared") }
        return state
    }

    /// Runs a program as the engine and expects it to succeed.
    private func run(_ argv: [String], _ call: Call) throws {
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        let result = try Host.run(Command(argv, as: .engine, environment: environment), call: call)
        guard result.isSuccess else {
            throw PluginFailure(.internal, "\(argv[0]) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }

    private func installerArguments() -> [String] {
        let instance = files.instance
        var argv = [
            Programs.installer, "--no-defaults", "--datadir=\(instance.dataDirectory)",
            "--tmpdir=\(instance.runDirectory)", "--extra-file=\(files.templatePath)", "--skip-test-db",
            "--skip-name-resolve", "--auth-root-authentication-method=socket", "--auth-root-socket-user=root",
            // Nothing is lost if this is interrupted; the file system is synced at the end.
            "--innodb-flush-method=nosync", "--innodb-doublewrite=0", "--innodb-flush-log-at-trx-commit=0",
            "--sync-frm=0", "--innodb-log-file-size=\(Settings.templateLogFileMiB)M", "--aria-log-file-size=8M",
        ]
        if instance.uid == 0 { argv.append("--user=root") }
        return argv
    }

    private func writeStartFiles(_ state: InstanceState) throws {
        try PluginFiles.makeDirectory(files.temporaryPath, owner: files.owner)
        let options = files.optionFile(contents: state.configContents, logs: state.logs, tls: state.tls)
        try PluginFiles.write(options, to: files.optionPath, PluginFiles.Access(mode: 0o644))
        guard state.isFirstStart else { return }
        try PluginFiles.write(
            FirstStart.statements(state), to: files.firstStartPath, PluginFiles.Access(mode: 0o400, owner: files.owner))
    }

    /// Waits, but not past a cancellation.
    private func pause(_ call: Call, milliseconds: Int32) {
        var descriptor = pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, milliseconds)
    }
}
