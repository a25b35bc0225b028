// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Model
import PluginHost

extension GuestAgentService {
    func handle(_ change: Change) async {
        switch change {
        case .engine(let snapshot):
            let wasGivenUp = engine.state == .crashed
            engine = snapshot
            if snapshot.state != .running { health = nil }
            if snapshot.state == .crashed, !wasGivenUp, preparationState == .prepared {
                await mailbox.post(
                    .fault(message: "The database does not run: \(snapshot.reason)", details: snapshot.reason))
            }
            if snapshot.state == .running { await poll() }
            await report(isForced: false)
        case .plugin(let report, let context): await take(report, context: context)
        case .preparation(let state):
            preparationState = state
            if state == .prepared { await poll() }
            await report(isForced: true)
        }
    }

    /// Asks the datastore now and then, and repeats the report when it is due.
    func watchStatus() async {
        let interval = min(timing.statusInterval, configuration.reportInterval)
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            await poll()
            let isDue = toldAt.map { $0.duration(to: .now) + interval / 2 >= configuration.reportInterval } ?? true
            await report(isForced: isDue)
        }
    }

    private func poll() async {
        guard preparationState == .prepared, engine.state == .running else { return }
        do {
            let status = try await plugins.status()
            guard engine.state == .running else { return }
            health = status.health
            dataBytes = status.dataBytes
        } catch {
            // Busy with a long call is no news about the engine.
            guard error.code != .timedOut, error.code != .busy else { return }
            logger.warning("the datastore does not tell its status", metadata: ["error": "\(error)"])
            // Told once, not with each question.
            if health == nil, error.code != .crashed {
                await mailbox.post(
                    .fault(message: "The datastore does not tell its status: \(error)", details: "\(error)"))
            }
            health = error.code == .crashed ? nil : .unknown
        }
    }

    /// Sends the status when it is new, or in any case.
    func report(isForced: Bool) async {
        var status = ServiceStatusRules.status(preparation: preparationState, engine: engine.state, health: health)
        if engine.state == .running, status == .healthy || status == .running, await isRestartRequired {
            status = .restartRequired
        }
        guard let status, isForced || status != told, !Task.isCancelled else { return }
        if status != told {
            logger.notice("the service status changed", metadata: ["status": "\(status.text)"])
        }
        told = status
        toldAt = .now
        await mailbox.heartbeat(status, volumeUsedBytes: usedBytes)
    }

    /// Whether the engine that runs has yet to be started anew for something that was asked for.
    private var isRestartRequired: Bool {
        get async {
            if await logs.isRestartRequired(engine.pid) { return true }
            return await tls.isRestartRequired(engine.pid)
        }
    }

    /// Bytes on the volume; without a volume of its own, what the datastore knows.
    private var usedBytes: Int? {
        volume.isOwn ? try? volume.stats().usedBytes : dataBytes
    }

    /// Watches how full the volume is, and keeps the logs small.
    func watchVolume() async {
        while !Task.isCancelled {
            if let stats = try? volume.stats() { await judge(stats) }
            await supervisor.rotateLog()
            await rotateOwnLog()
            try? await Task.sleep(for: timing.volumeInterval)
        }
    }

    private func judge(_ stats: FilesystemStats) async {
        let level = DataVolume.Level(stats)
        guard level != volumeLevel else { return }
        logger.log(
            level: level == .critical ? .error : level == .warning ? .warning : .notice,
            level == .normal ? "the data volume has room again" : "the data volume is nearly full",
            metadata: ["used.bytes": "\(stats.usedBytes)", "total.bytes": "\(stats.totalBytes)"])
        volumeLevel = level
        await report(isForced: true)
    }

    private func rotateOwnLog() async {
        let log = ownLog
        do {
            _ = try await OwnThread.run("log-rotate") { try log.rotateIfNeeded() }
        } catch {
            logger.warning("the agent's log could not be rotated", metadata: ["error": "\(error)"])
        }
    }
}
