// SPDX-License-Identifier: Apache-2.0

import CLinux
import Model

/// What the agent writes down about its engine, so that the next agent finds it again.
///
/// Shape: `engine.json`: `{"phase": "launching" | "launched", "pid", "start_time", "boot_id", "argv_digest", "ready",
/// "stop_signal", "stop_timeout_ms", "memory_kills", "started_us"}`. `launching` is written before the process is made:
/// found by a later agent it means that there may be a process that nobody knows.
struct EngineRecord: Sendable, Hashable {
    var pid: Int32
    /// Clock ticks since boot. Source: proc_pid_stat(5), field 22.
    var startTime: UInt64
    var bootID: String
    var argvDigest: String
    var isReady: Bool
    var stopSignal: Int32
    var stopTimeout: Duration
    /// Of `MemoryKillCounter` when the engine was started.
    var memoryKills: Int
    var started: Timestamp

    /// Changes with each boot of the host.
    static var currentBootID: String {
        let bytes = (try? FileAccess.read("/proc/sys/kernel/random/boot_id", limit: 256)) ?? []
        return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }

    /// Whether the process that was recorded, and no other, lives.
    var isAlive: Bool {
        guard bootID == Self.currentBootID else { return false }
        var start: UInt64 = 0
        var state: CChar = 0
        return clinux_process_stat(pid, &start, &state) == 0 && start == startTime && state != 0x5A && state != 0x58
    }
}

/// The file that holds the record.
struct EngineRecordFile: Sendable {
    enum Content: Sendable, Hashable {
        case none
        /// A process may have been made.
        case launching
        case launched(EngineRecord)
    }

    let path: String

    func read() throws(GuestAgentError) -> Content {
        guard let json = try FileAccess.readJSON(path) else { return .none }
        guard json["phase"]?.stringValue == "launched", let pid = json["pid"]?.intValue,
            let startTime = json["start_time"]?.intValue, let bootID = json["boot_id"]?.stringValue
        else { return .launching }
        return .launched(
            EngineRecord(
                pid: Int32(truncatingIfNeeded: pid), startTime: UInt64(clamping: startTime), bootID: bootID,
                argvDigest: json["argv_digest"]?.stringValue ?? "", isReady: json["ready"]?.boolValue ?? false,
                stopSignal: Int32(json["stop_signal"]?.intValue ?? 15),
                stopTimeout: .milliseconds(json["stop_timeout_ms"]?.intValue ?? 60_000),
                memoryKills: json["memory_kills"]?.intValue ?? 0,
                started: Timestamp(microseconds: Int64(json["started_us"]?.intValue ?? 0))))
    }

    func writeLaunching() throws(GuestAgentError) { try FileAccess.writeJSON(["phase": "launching"], to: path) }

    func write(_ record: EngineRecord) throws(GuestAgentError) {
        try FileAccess.writeJSON(
            [
                "phase": "launched", "pid": .int(Int64(record.pid)),
                "start_time": .int(Int64(clamping: record.startTime)), "boot_id": .string(record.bootID),
                "argv_digest": .string(record.argvDigest), "ready": .bool(record.isReady),
                "stop_signal": .int(Int64(record.stopSignal)),
                "stop_timeout_ms": .int(record.stopTimeout.microseconds / 1000),
                "memory_kills": .int(Int64(record.memoryKills)), "started_us": .int(record.started.microseconds),
            ], to: path)
    }

    func remove() throws(GuestAgentError) { try FileAccess.remove(path) }
}
