// SPDX-License-Identifier: Apache-2.0

import StateStore

extension APICall {
    /// Waits until operations have ended, `APIConfiguration.operationPatience` at most: what is accepted goes on in any case.
    ///
    /// - Parameter fault: What a failure is told as, by its reason; as a rule 400 with the guest's. Source: REST contract §3.4.
    /// - Throws: `fault` of the first one, in order, that failed.
    func requireSuccess(
        of operations: [String], fault: (String) -> APIFault = { APIFault(guestSentence: $0) }
    ) async throws {
        let deadline = ContinuousClock.now + configuration.operationPatience
        var pause = Duration.milliseconds(20)
        while true {
            if let rows = try await found(operations),
                !rows.contains(where: { $0.state == .ready || $0.state == .running })
            {
                guard let failed = rows.first(where: { $0.state == .failed }) else { return }
                throw fault(failed.error ?? "")
            }
            guard ContinuousClock.now < deadline, (try? await Task.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, .milliseconds(250))
        }
    }

    /// nil while the state store cannot answer: what is accepted is not refused because of that.
    private func found(_ operations: [String]) async throws -> [JournalRecord]? {
        do {
            return try await services.store.read { transaction in
                try operations.compactMap { try transaction.journal.find($0) }
            }
        } catch let error as StateStoreError where error.isRetryable {
            return nil
        }
    }
}
