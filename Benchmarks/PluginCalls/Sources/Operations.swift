// SPDX-License-Identifier: Apache-2.0

import Model
import PluginHost

/// Many operations open at once, each answered by a thread of its plugin; every answer is checked.
struct Operations: Sendable {
    let plugins: [LoadedPlugin]
    let count: Int

    private struct Counts {
        var answered = 0
        var wrong = 0
        /// Refused because the host's queue was full, and asked again.
        var repeated = 0
    }

    private actor Tally {
        private(set) var counts = Counts()

        func answered(isRight: Bool) {
            counts.answered += 1
            if !isRight { counts.wrong += 1 }
        }

        func repeated() { counts.repeated += 1 }
    }

    private static let deadline: Duration = .seconds(300)

    /// `{"count", "lost", "wrong", "repeated", "seconds"}`
    func run() async throws -> JSONValue {
        let tally = Tally()
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                let plugin = plugins[number % plugins.count]
                group.addTask { await operate(plugin, Int64(number), tally) }
            }
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        let counts = await tally.counts
        return .object([
            "count": .int(Int64(count)), "lost": .int(Int64(count - counts.answered)),
            "wrong": .int(Int64(counts.wrong)), "repeated": .int(Int64(counts.repeated)), "seconds": .double(seconds),
        ])
    }

    private func operate(_ plugin: LoadedPlugin, _ number: Int64, _ tally: Tally) async {
        let options = CallOptions(deadline: .after(Self.deadline), context: RequestContext(requestID: "req-\(number)"))
        while true {
            do throws(PluginError) {
                let output = try await plugin.perform(try plugin.action("later"), [.i64(number)], options)
                await tally.answered(isRight: String(decoding: output, as: UTF8.self) == String(number))
                return
            } catch {
                guard error.code == .exhausted else { return }
                await tally.repeated()
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
    }
}
