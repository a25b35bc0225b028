// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import GuestAgent

@Suite struct EngineFactsTests {
    @Test("a launch document is read with its defaults")
    func readsLaunch() throws {
        let launch = try LaunchDocument(json: ["argv": ["/bin/engine", "-x"]], defaultPort: 4000)
        #expect(launch.readiness == .notify)
        #expect(launch.port == 4000)
        #expect(launch.stopSignal == 15)
        #expect(launch.startTimeout == .seconds(120))
        #expect(launch.stopTimeout == .seconds(60))
    }

    static let wrongLaunches: [(String, JSONValue)] = [
        ("argv", [:]), ("argv", ["argv": []]), ("argv", ["argv": ["engine"]]), ("argv", ["argv": ["/e", 1]]),
        ("argv", ["argv": ["/e\u{0}"]]), ("env", ["argv": ["/e"], "env": ["A": 1]]),
        ("env", ["argv": ["/e"], "env": ["A=B": "c"]]), ("ready", ["argv": ["/e"], "ready": "soon"]),
        ("port", ["argv": ["/e"], "ready": "tcp", "port": 0]),
        ("stop_signal", ["argv": ["/e"], "stop_signal": "SEGV"]),
        ("stop_timeout_s", ["argv": ["/e"], "stop_timeout_s": -1]),
        ("start_timeout_s", ["argv": ["/e"], "start_timeout_s": "1"]),
    ]

    @Test("a launch document that is wrong names its member", arguments: wrongLaunches)
    func refusesLaunch(_ name: String, _ json: JSONValue) {
        let error = #expect(throws: GuestAgentError.self) { try LaunchDocument(json: json, defaultPort: 1) }
        #expect(error?.message.contains(": \(name) must be") == true)
    }

    @Test("notify datagrams are taken apart")
    func parsesNotify() {
        #expect(
            NotifySocket.parse("STATUS=a=b\nREADY=1\nEXTEND_TIMEOUT_USEC=2000000\nSTOPPING=1\nX=y\nREADY=0\nnoise")
                == [.status("a=b"), .ready, .extendTimeout(.seconds(2)), .stopping])
    }

    @Test("kills for lack of memory are counted in each form of the file")
    func countsMemoryKills() {
        #expect(MemoryKillCounter.kills(in: "low 0\nhigh 3\noom 2\noom_kill 2\n") == 2)
        #expect(MemoryKillCounter.kills(in: "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n") == 7)
        #expect(MemoryKillCounter.kills(in: "4\n") == 4)
        #expect(MemoryKillCounter.kills(in: "") == 0)
        #expect(MemoryKillCounter(paths: ["/nonexistent"]).total == 0)
    }

    @Test("how an engine ended is told apart")
    func tellsExits() {
        #expect(EngineExit(waitStatus: 3 << 8, memoryKills: 0) == .code(3))
        #expect(EngineExit(waitStatus: 9, memoryKills: 0) == .signal(9))
        #expect(EngineExit(waitStatus: 9, memoryKills: 1) == .outOfMemory)
        #expect(EngineExit(waitStatus: 6, memoryKills: 1) == .signal(6))
        #expect(EngineExit(waitStatus: -1, memoryKills: 0) == .unknown)
        #expect(EngineExit(waitStatus: -1, memoryKills: 1) == .outOfMemory)
    }
}
