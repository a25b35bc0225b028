// SPDX-License-Identifier: Apache-2.0

import Logging
import Model

extension EngineSupervisor {
    func watched(_ event: EngineWatch.Event, _ number: Int) {
        guard current?.number == number else { return }
        switch event {
        case .message(.ready), .accepts: becomeReady(number)
        case .message(.extendTimeout(let time)):
            let extended = max(current?.startDeadline ?? .after(time), .after(time))
            current?.startDeadline = extended
        case .message(.status(let text)): logger.debug("the engine says", metadata: metadata(["text": "\(text)"]))
        case .message(.stopping): break
        case .exited(let status): exited(status)
        }
    }

    /// Asks the datastore whether the engine, which says that it is ready, can be used.
    func becomeReady(_ number: Int) {
        guard let run = current, run.number == number, machine.state == .starting, !run.isConfirming else { return }
        current?.isConfirming = true
        Task {
            do {
                try await self.launcher.started(deadline: run.startDeadline)
                self.confirmed(number)
            } catch {
                self.unfit(number, "\(error)")
            }
        }
    }

    private func confirmed(_ number: Int) {
        guard current?.number == number, machine.state == .starting else { return }
        current?.startTimer?.cancel()
        current?.record.isReady = true
        lastFailure = nil
        lastExit = nil
        do {
            if let record = current?.record { try recordFile.write(record) }
        } catch {
            logger.warning("the engine's record could not be written", metadata: metadata(["error": "\(error)"]))
        }
        logger.notice("the engine is ready", metadata: metadata())
        apply(.ready)
    }

    private func unfit(_ number: Int, _ reason: String) {
        guard current?.number == number, machine.state == .starting else { return }
        lastFailure = reason
        logger.error("the engine did not become ready", metadata: metadata(["reason": "\(reason)"]))
        apply(.unfit)
    }

    /// Waits for the start deadline, which the engine may move.
    func guardStart(_ number: Int) async {
        while let deadline = current?.startDeadline, current?.number == number, !Task.isCancelled {
            guard !deadline.isPast else { return unfit(number, "it was not ready in time") }
            try? await Task.sleep(until: deadline.instant, clock: .continuous)
        }
    }

    private func exited(_ status: Int32) {
        guard let run = current else { return }
        let exit = EngineExit(waitStatus: status, memoryKills: max(0, memoryKills.total - run.record.memoryKills))
        let wanted = if case .stopping = machine.state { true } else { false }
        logger.log(
            level: wanted ? .notice : .error, "the engine ended", metadata: metadata(["exit": "\(exit)"]))
        lastExit = exit
        run.cancel()
        current = nil
        do {
            try recordFile.remove()
        } catch {
            logger.warning("the engine's record could not be removed", metadata: metadata(["error": "\(error)"]))
        }
        apply(.exited(lived: SystemWallClock().now - run.record.started))
    }
}
