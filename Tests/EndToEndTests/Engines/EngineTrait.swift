// SPDX-License-Identifier: Apache-2.0

import Testing

/// Runs a suite's tests with one control plane of one engine; afterwards nothing of it is left.
struct EngineTrait: SuiteTrait, TestScoping {
    let engine: EngineUnderTest

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await engine.build()
        try await ControlPlane.with(configure: { try engine.enable(in: $0) }) { plane in
            let run = try EngineRun(engine, plane)
            defer { run.client.close() }
            try await EngineRun.$current.withValue(run) { try await function() }
            try await run.end()
        }
    }
}

extension SuiteTrait where Self == EngineTrait {
    static func engine(_ engine: EngineUnderTest) -> Self { EngineTrait(engine: engine) }
}
