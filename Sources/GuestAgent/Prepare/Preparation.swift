// SPDX-License-Identifier: Apache-2.0

import Calls
import Logging
import Model
import PluginHost

/// Makes an instance out of an empty volume, a template's copy or a backup: once, however often it is asked and however
/// often the agent is interrupted.
package actor Preparation {
    private let steps: PreparationSteps
    private let record: PreparationRecord
    private let mailbox: ConductorMailbox
    private let logger: Logger
    private let onChange: @Sendable (PreparationState) -> Void
    private var task: Task<Void, Never>?
    private var isReleased = false

    package private(set) var state: PreparationState = .unprepared

    /// - Parameter onChange: Called with each new state, and again when a finished preparation is asked for; returns at
    ///   once.
    init(
        configuration: GuestConfiguration, steps: PreparationSteps, mailbox: ConductorMailbox, logger: Logger,
        onChange: @escaping @Sendable (PreparationState) -> Void
    ) {
        self.steps = steps
        self.mailbox = mailbox
        self.logger = logger
        self.onChange = onChange
        record = PreparationRecord(stateDirectory: configuration.stateDirectory)
    }

    /// Does what `prepare` asks, in the background. While one runs, a repeat joins it; after success it is reported again.
    func prepare(_ arguments: PrepareArguments, context: RequestContext) {
        switch state {
        case .running: logger.info("prepare runs already", metadata: ["request.id": "\(context.requestID)"])
        case .prepared: onChange(state)
        case .unprepared, .failed:
            for verb in ["prepare", DatastoreLauncher.verb] { steps.plugins.marks.forgive(verb) }
            begin(PreparationRecord.Work(arguments: arguments, context: context, stage: .begun))
        }
    }

    /// Goes on where an earlier agent stopped.
    ///
    /// - Returns: Whether the engine is to be what it should be now: there is nothing to prepare.
    func resume() -> Bool {
        do {
            switch try record.read() {
            case .none: return false
            case .prepared:
                set(.prepared)
                return true
            case .failed(let message):
                set(.failed(message))
                return true
            case .running(let work):
                logger.notice("an interrupted prepare goes on", metadata: ["stage": "\(work.stage)"])
                begin(work)
                return false
            }
        } catch {
            set(.failed(error.message))
            return false
        }
    }

    /// Interrupts a preparation that runs; the next agent goes on with it.
    func release() {
        isReleased = true
        task?.cancel()
    }

    private func set(_ new: PreparationState) {
        state = new
        onChange(new)
    }

    private func begin(_ work: PreparationRecord.Work) {
        set(.running)
        task = Task { await self.run(work) }
    }

    private func run(_ begun: PreparationRecord.Work) async {
        var work = begun
        do {
            try record.write(work)
            try await steps.run(&work) { try record.write($0) }
            guard !isReleased else { return }
            try record.writePrepared()
            logger.notice("the instance is prepared", metadata: ["request.id": "\(work.context.requestID)"])
            if work.arguments.rootPassword != nil {
                await mailbox.post(.root(userID: work.context.userID, isEnabled: true), context: work.context)
            }
            set(.prepared)
        } catch {
            guard !isReleased else { return }
            await fail("\(error)", work.context)
        }
    }

    private func fail(_ reason: String, _ context: RequestContext) async {
        logger.error("prepare failed", metadata: ["request.id": "\(context.requestID)", "error": "\(reason)"])
        do {
            try record.writeFailed(reason)
        } catch {
            logger.error("the failure could not be written down", metadata: ["error": "\(error)"])
        }
        await mailbox.post(
            .fault(message: "The database could not be prepared: \(reason)", details: reason), context: context)
        set(.failed(reason))
    }
}
