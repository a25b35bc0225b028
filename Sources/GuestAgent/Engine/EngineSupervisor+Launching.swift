// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

extension EngineSupervisor {
    /// Makes a process, unless the engine is no longer wanted by then.
    func launch(_ number: Int) async {
        do {
            let document = try await launcher.launch()
            guard machine.state == .starting, !isReleased else { return apply(.launchFailed) }
            try await spawn(document, number)
        } catch {
            lastFailure = "\(error)"
            logger.error("the engine could not be launched", metadata: metadata(["error": "\(error)"]))
            apply(.launchFailed)
        }
    }

    private func spawn(_ document: LaunchDocument, _ number: Int) async throws {
        let kills = memoryKills.total
        let socket = try NotifySocket(configuration)
        try recordFile.writeLaunching()
        let process: EngineProcess
        do {
            process = try await makeProcess(document, notify: socket.path)
        } catch {
            try recordFile.remove()
            throw error
        }
        let record = EngineRecord(
            pid: process.pid, startTime: process.startTime, bootID: EngineRecord.currentBootID,
            argvDigest: document.digest, isReady: false, stopSignal: document.stopSignal,
            stopTimeout: document.stopTimeout, memoryKills: kills, started: SystemWallClock().now)
        do {
            try recordFile.write(record)
            try follow(
                number, process, socket, record, startTimeout: document.startTimeout,
                probe: document.readiness == .tcp ? .tcp(address: configuration.address, port: document.port) : .none)
        } catch {
            process.kill(configuration)
            throw error
        }
        logger.notice("the engine was launched", metadata: metadata())
        if machine.state != .starting { terminate() }
        publish()
    }

    private func makeProcess(_ document: LaunchDocument, notify path: String) async throws -> EngineProcess {
        let environment = document.environment.merging(["NOTIFY_SOCKET": path]) { _, own in own }
        let (configuration, log) = (configuration, log)
        return try await OwnThread.run("engine-spawn") {
            try log.withDescriptor { descriptor throws(GuestAgentError) in
                try EngineProcess.spawn(
                    document, environment: environment, configuration: configuration, log: descriptor)
            }
        }
    }

    /// Takes over what an earlier agent wrote down, and ends what it did not live to write down.
    func recover() async throws {
        switch try recordFile.read() {
        case .none: break
        case .launching:
            let path = NotifySocket.path(configuration)
            let ended = try await OwnThread.run("engine-orphans") { EngineOrphans.end(notifySocket: path) }
            if ended > 0 {
                logger.warning("processes that no agent had written down were ended", metadata: ["count": "\(ended)"])
            }
            try recordFile.remove()
        case .launched(let record):
            guard let process = EngineProcess.adopt(record) else {
                logger.warning(
                    "the engine ended while no agent watched it", metadata: metadata(["engine.pid": "\(record.pid)"]))
                return try recordFile.remove()
            }
            try adopt(process, record)
        }
    }

    private func adopt(_ process: EngineProcess, _ record: EngineRecord) throws {
        launches += 1
        try follow(
            launches, process, try NotifySocket(configuration), record, startTimeout: .seconds(120), probe: .none)
        logger.notice("the engine of an earlier agent was adopted", metadata: metadata())
        apply(.adopted(ready: record.isReady))
        // What it said while nobody listened is lost, so it is asked.
        if !record.isReady { becomeReady(launches) }
    }

    private func follow(
        _ number: Int, _ process: EngineProcess, _ socket: NotifySocket, _ record: EngineRecord,
        startTimeout: Duration, probe: EngineWatch.Probe
    ) throws {
        let (stream, continuation) = AsyncStream.makeStream(of: EngineWatch.Event.self)
        let watch = try EngineWatch.start(process: process, socket: socket, probe: probe) { continuation.yield($0) }
        var run = EngineRun(
            number: number, process: process, socket: socket, watch: watch, record: record,
            startDeadline: .after(startTimeout))
        run.events = Task {
            for await event in stream { self.watched(event, number) }
        }
        run.startTimer = Task { await self.guardStart(number) }
        current = run
    }
}
