// SPDX-License-Identifier: Apache-2.0

import Glibc
import RedisClient
import TrovePluginKit

/// One Redis instance, as its guest agent drives it.
final class RedisDatastore: BackupAccessProvision {
    let files: ServerConfiguration
    private let session: Session
    private var state: InstanceState?

    init(instance: InstanceDocument, call: Call) throws {
        files = ServerConfiguration(instance: instance)
        session = Session(address: instance.address, port: instance.port)
        state = try InstanceState.load(files.statePath)
    }

    func close() { session.close() }

    func prepare(_ request: PrepareRequest, call: Call) throws {
        let overrides = try Settings.overrides(request.overrides)
        try Settings.check(overrides, memoryMiB: files.instance.memoryMiB)
        if let password = request.rootPassword { try Names.check(password: password) }
        session.close()
        let contents = Settings.text(Settings.merged(Settings.parsed(request.configContents), overrides))
        let new = InstanceState(
            password: state?.password ?? RandomPassword.make(length: 48), configContents: contents)
        try new.save(files.statePath)
        state = new
        let root = try request.rootPassword.map { Rights.root(hash: try PasswordHash.rule($0)) }
        try writeAccessList(new, root: root ?? Rights.disabledRoot)
    }

    func launch(call: Call) throws -> LaunchDocument {
        let state = try prepared()
        try writeAccessList(state, root: nil)
        let start = try Persistence(files: files).prepareStart(isAppendOnly: isAppendOnly(state), call: call)
        try PluginFiles.write(
            files.file(contents: state.configContents, isAppendForced: start == .fromLog), to: files.configPath,
            PluginFiles.Access(mode: 0o400, owner: files.owner))
        return LaunchDocument(
            argv: [Programs.server, files.configPath], ready: .notify, port: files.instance.port, stopSignal: "TERM",
            stopTimeoutSeconds: 120, startTimeoutSeconds: 600)
    }

    func started(call: Call) throws {
        let state = try prepared()
        while true {
            do {
                try session.run(password: state.password, call: call) { _ = try $0.run(["PING"], "first command") }
                break
            } catch let failure as PluginFailure where failure.status == .unavailable {
                guard let left = call.timeLeft, left > .milliseconds(50) else { throw failure }
                pause(call, milliseconds: 20)
            }
        }
        guard !isAppendOnly(state), access(files.manifestPath, F_OK) == 0 else { return }
        try administer(call) { try Persistence(files: files).leaveLog($0, call: call) }
    }

    func status(call: Call) throws -> EngineStatus {
        guard let state else { return EngineStatus(.unknown) }
        do {
            return try session.run(password: state.password, call: call) { connection in
                let info = EngineInfo(try connection.run(["INFO"], "read the status"))
                // This connection is not a client's.
                return EngineStatus(
                    Self.health(info), dataBytes: FileSystem.bytesInUse(files.instance.dataDirectory),
                    connections: UInt32(clamping: max(info.number("connected_clients") - 1, 0)))
            }
        } catch let failure as PluginFailure {
            if failure.details?["code"] == "LOADING" { return EngineStatus(.starting) }
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
            user: Accounts.administrator, password: try prepared().password,
            dataDirectory: files.instance.dataDirectory, configFile: files.configPath)
    }

    /// Runs `body` with the administrator's connection.
    func administer<Result>(_ call: Call, _ body: (Connection) throws -> Result) throws -> Result {
        try session.run(password: try prepared().password, call: call, body)
    }

    func prepared() throws -> InstanceState {
        guard let state else { throw PluginFailure(.preconditionFailed, "the instance has not been prepared") }
        return state
    }

    /// Remembers the configuration of the next start.
    func keep(configContents: String) throws {
        var new = try prepared()
        new.configContents = configContents
        try new.save(files.statePath)
        state = new
    }

    private static func health(_ info: EngineInfo) -> EngineStatus.Health {
        if info.number("loading") != 0 { return .starting }
        let isDiskBad =
            info.values["aof_last_write_status"] == "err"
            || (info.values["rdb_last_bgsave_status"] == "err" && info.number("aof_enabled") == 0)
        let limit = info.number("maxmemory")
        let isFull =
            limit > 0 && info.number("used_memory") >= limit && info.values["maxmemory_policy"] == "noeviction"
        return isDiskBad || isFull ? .blocked : .healthy
    }

    private func isAppendOnly(_ state: InstanceState) -> Bool {
        Settings.parsed(state.configContents).last { $0.name == "appendonly" }?.words == ["yes"]
    }

    /// Puts the service's own accounts into the list of users, and leaves the tenants' there. `root`: what becomes of the
    /// engine's superuser; `nil` leaves it as it is.
    private func writeAccessList(_ state: InstanceState, root: AccessEntry?) throws {
        let old = try PluginFiles.read(files.accessListPath) ?? ""
        let entries = AccessEntry.entries(of: old)
        let kept = root ?? entries.first { $0.name == Accounts.root } ?? Rights.disabledRoot
        let own = [Rights.administrator(hash: try PasswordHash.rule(state.password)), kept]
        if root == nil, own.allSatisfy({ entries.contains($0) }) { return }
        let text = AccessEntry.file(own + entries.filter { !Accounts.reserved.contains($0.name) })
        guard text != old else { return }
        try PluginFiles.write(text, to: files.accessListPath, PluginFiles.Access(mode: 0o600, owner: files.owner))
    }

    /// Waits, but not past a cancellation.
    private func pause(_ call: Call, milliseconds: Int32) {
        var descriptor = pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, milliseconds)
    }
}
