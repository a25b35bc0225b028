// SPDX-License-Identifier: Apache-2.0

import Calls
import Model
import PluginHost
import Testing

@testable import GuestAgent

@Suite struct ServiceStatusRulesTests {
    typealias Row = (PreparationState, EngineStateMachine.State, EngineStatus.Health?, ServiceStatus?)

    static let rows: [Row] = [
        (.unprepared, .stopped, nil, nil), (.running, .starting, nil, .building), (.running, .running, nil, .building),
        (.failed("x"), .running, .healthy, .failedToSpawn), (.prepared, .running, .healthy, .healthy),
        (.prepared, .running, nil, .running), (.prepared, .running, .starting, .running),
        (.prepared, .running, .blocked, .blocked), (.prepared, .running, .shutdown, .shutdown),
        (.prepared, .running, .unknown, .unknown), (.prepared, .starting, nil, .restarting),
        (.prepared, .stopping(.start), nil, .restarting), (.prepared, .stopping(.retry), nil, .restarting),
        (.prepared, .stopping(.stay), nil, .shutdown), (.prepared, .stopped, nil, .shutdown),
        (.prepared, .backingOff, nil, .crashed), (.prepared, .crashed, nil, .crashed),
    ]

    @Test("what is known becomes what is reported", arguments: rows.indices)
    func maps(_ index: Int) {
        let row = Self.rows[index]
        #expect(ServiceStatusRules.status(preparation: row.0, engine: row.1, health: row.2) == row.3)
    }

    @Test("a volume is judged by what the engine can still take")
    func judgesVolume() {
        func level(_ free: Int, _ available: Int) -> DataVolume.Level {
            DataVolume.Level(
                FilesystemStats(blockSize: 4096, totalBlocks: 1000, freeBlocks: free, availableBlocks: available))
        }
        #expect(level(200, 200) == .normal)
        #expect(level(100, 100) == .warning)
        #expect(level(30, 30) == .critical)
        #expect(level(100, 10) == .critical)
        #expect(level(0, 0) == .critical)
    }
}
