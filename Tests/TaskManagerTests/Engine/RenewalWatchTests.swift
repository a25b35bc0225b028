// SPDX-License-Identifier: Apache-2.0

import TaskManager
import Testing

@Suite("RenewalWatch")
struct RenewalWatchTests {
    @Test("a claim that was seen unchanged for a whole lease is nobody's; a renewed or new one is somebody's")
    func watching() {
        var watch = RenewalWatch<String>()
        let start = ContinuousClock.now
        watch.observe(["a1", "b1"], at: start)
        #expect(watch.unrenewed(for: .seconds(10), at: start + .seconds(9)).isEmpty)
        watch.observe(["a2", "b1", "c1"], at: start + .seconds(6))
        #expect(watch.unrenewed(for: .seconds(10), at: start + .seconds(10)) == ["b1"])
        // One that went and came back counts from when it came back.
        watch.observe(["a2"], at: start + .seconds(11))
        watch.observe(["a2", "b1"], at: start + .seconds(12))
        #expect(watch.unrenewed(for: .seconds(10), at: start + .seconds(16)) == ["a2"])
        #expect(Set(watch.unrenewed(for: .seconds(10), at: start + .seconds(22))) == ["a2", "b1"])
    }
}
