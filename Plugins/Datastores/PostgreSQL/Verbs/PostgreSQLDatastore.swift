// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One PostgreSQL instance, as its guest agent drives it.
final class PostgreSQLDatastore: TemplateInitialization, BackupAccessProvision {
    let files: ServerConfiguration
    private let session: Session
    private var state: InstanceState?

    init(instance: InstanceDocument, call: Call) throws {
        files = ServerConfiguration(instance: instance)
        session = Session(files)
        state = try InstanceState.load(files.statePath)
    }

    func close() { session.close() }

    // MARK: Lifecycle

    func initialize(call: Call) throws {
        try requireUser()
        try Template(files: files, programs: try programs).make(call: call)
    }

    func prepare(_ request: PrepareRequest, call: Call) throws {
        let overrides = try Settings.overrides(request.overrides)
        if let password = request.rootPassword { try Names.check(password: password) }
        try requireUser()
        try requireData()
        session.close()
        let contents = request.configContents + (overrides.isEmpty ? "" : "\n" + Settings.text(overrides))
        let identifier = request.isRestored ? nil : state?.systemIdentifier ?? SystemIdentifier.make()
        let new = InstanceState(
            password: state?.password ?? RandomPassword.make(length: 48), configContents: contents, isFirstStart: true,
            isRestored: request.isRestored, systemIdentifier: identifier, rootPassword: request.rootPassword,
            tls: state?.tls ?? TLSState())
        try new.save(files.statePath)
        state = new
    }

    func launch(call: Call) throws -> LaunchDocument {
        let state = try prepared()
        // Here and not in prepare: the first start writes it out, and until then it is repeated.
        if state.isFirstStart, let identifier = state.systemIdentifier {
            try SystemIdentifier.set(identifier, in: files.dataPath)
        }
        try files.write(contents: state.configContents, isGeneralLogOn: state.isGeneralLogOn, tls: state.tls)
        return LaunchDocument(
            argv: files.arguments(try programs), environment: ["LC_ALL": "C"], ready: .notify,
            port: files.instance.port, stopSignal: "INT", stopTimeoutSeconds: 120, startTimeoutSeconds: 600)
    }

    func started(call: Call) throws {
        var state = try prepared()
        if state.isFirstStart { try retrying(call) { try self.setUp(state, call) } }
        do {
            try logIn(state, call)
        } catch let failure as PluginFailure where EngineError.code(of: failure) == EngineError.wrongPassword {
            // A superuser of the tenant's changed it; the Unix socket needs none.
            try setPassword(state, call)
            try logIn(state, call)
        }
        guard state.isFirstStart else { return }
        state.isFirstStart = false
        state.rootPassword = nil
        try state.save(files.statePath)
        self.state = state
    }

    func status(call: Call) throws -> EngineStatus {
        guard let state else { return EngineStatus(.unknown) }
        let query = """
            SELECT count(*) - 1, pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean \
            FROM pg_stat_activity WHERE backend_type = 'client backend'
            """
        do {
            let rows = try session.run(password: state.password, call: call) {
                try $0.run(query, "read the status", call: call)
            }
            return EngineStatus(
                rows.first?[1] == "t" ? .blocked : .healthy,
                dataBytes: FileSystem.bytesInUse(files.instance.dataDirectory),
                connections: rows.first?[0].flatMap { UInt32($0) } ?? 0)
        } catch let failure as PluginFailure {
            switch failure.status {
            case .unavailable:
                return EngineStatus(
                    EngineError.code(of: failure) == EngineError.cannotConnectNow ? .starting : .shutdown)
            case .exhausted, .permissionDenied: return EngineStatus(.blocked)
            default: throw failure
            }
        }
    }

    func backupAccess(call: Call) throws -> BackupAccess {
        BackupAccess(
            socket: "\(files.socketDirectory)/.s.PGSQL.\(files.instance.port)", address: files.instance.address,
            port: files.instance.port, user: Session.administrator, password: try prepared().password,
            dataDirectory: files.dataPath, configFile: nil)
    }

    // MARK: Parts

    /// Runs `body` with the administrator's connection.
    func administer<Result>(_ call: Call, _ body: (Administration) throws -> Result) throws -> Result {
        let password = try prepared().password
        return try session.run(password: password, call: call) { connection in
            try body(Administration(connection: connection, session: session, password: password, call: call))
        }
    }

    private var programs: Programs {
        get throws { try Programs(version: files.instance.datastore.version) }
    }

    /// Keeps another configuration for the next start.
    func keep(configContents: String) throws {
        var state = try prepared()
        state.configContents = configContents
        try state.save(files.statePath)
        self.state = state
    }

    /// Keeps for the next start whether statements are logged.
    func keep(isGeneralLogOn: Bool) throws {
        var state = try prepared()
        state.isGeneralLogOn = isGeneralLogOn
        try state.save(files.statePath)
        self.state = state
    }

    /// Keeps for the next start what the engine's TLS shall be.
    func keep(tls: TLSState) throws {
        var state = try prepared()
        state.tls = tls
        try state.save(files.statePath)
        self.state = state
    }

    /// A login over the instance's own address with TLS alone.
    func logInEncrypted(_ call: Call) throws {
        try session.runEncrypted(password: try prepared().password, call: call) {
            _ = try $0.run("SELECT 1", "first query", call: call)
        }
    }

    func prepared() throws -> InstanceState {
        guard let state else { throw PluginFailure(.preconditionFailed, "the instance has not been prepared") }
        return state
    }

    /// The engine refuses to run as root, with a message in its log alone.
    private func requireUser() throws {
        guard files.instance.uid != 0 else {
            throw PluginFailure(
                .preconditionFailed,
                "PostgreSQL does not run as root; give instances users of their own, or run the control plane as "
                    + "another user")
        }
    }

    func requireData() throws {
        let version = try programs.major
        guard let text = try PluginFiles.read(files.dataPath + "/PG_VERSION") else {
            throw PluginFailure(.preconditionFailed, "\(files.dataPath) holds no data of PostgreSQL")
        }
        let found = String(text.prefix { !$0.isNewline })
        guard found == version else {
            throw PluginFailure(
                .preconditionFailed, "the data are of PostgreSQL \(found); an instance of \(version) cannot use them")
        }
    }

    private func logIn(_ state: InstanceState, _ call: Call) throws {
        try retrying(call) {
            try self.session.run(password: state.password, call: call) {
                _ = try $0.run("SELECT 1", "first query", call: call)
            }
        }
    }

    /// Repeats `body` while the engine does not take connections yet.
    private func retrying(_ call: Call, _ body: () throws -> Void) throws {
        while true {
            do {
                return try body()
            } catch let failure as PluginFailure where failure.status == .unavailable {
                guard let left = call.timeLeft, left > .milliseconds(50) else { throw failure }
                Wait.pause(call, milliseconds: 10)
            }
        }
    }

    /// What the first start makes, in one transaction: the administrator's password, and the tenant's superuser if it was
    /// asked for. One of the instance that a backup was taken of does not survive.
    private func setUp(_ state: InstanceState, _ call: Call) throws {
        try session.runLocally(call: call) { connection in
            var statements = [try Root.administrator(state.password, connection)]
            if state.isRestored, try Root.exists(connection, call) { statements += Root.disabling }
            if let password = state.rootPassword { statements += try Root.enabling(password, connection, call) }
            try connection.run(statements.joined(separator: "; "), "make the accounts", call: call)
        }
    }

    private func setPassword(_ state: InstanceState, _ call: Call) throws {
        try session.runLocally(call: call) { connection in
            let statement = try Root.administrator(state.password, connection)
            _ = try connection.run(statement, "set the administrator's password", call: call)
        }
        Host.log(.warning, "the administrator's password had been changed and was set again", call: call)
    }
}
