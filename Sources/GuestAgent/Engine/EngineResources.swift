// SPDX-License-Identifier: Apache-2.0

import Calls
import Model

/// What the engine uses, and what it may use.
struct EngineResources: Sendable {
    let configuration: GuestConfiguration
    /// `/proc`; another directory in tests.
    var processes = "/proc"

    /// The engine's main process. Source: proc(5), `/proc/pid/status`.
    ///
    /// - Throws: `.notReady` when the process has ended; `.storage`.
    func diagnostics(pid: Int32) throws(GuestAgentError) -> GuestDiagnostics {
        let content = try FileAccess.read("\(processes)/\(pid)/status", limit: 64 << 10) ?? []
        var values: [Substring: Int] = [:]
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0].hasSuffix(":"), let value = Int(words[1]) else { continue }
            values[words[0].dropLast()] = value
        }
        // A process that has ended and is not yet reaped has no memory.
        guard let threads = values["Threads"], let slots = values["FDSize"], let size = values["VmSize"],
            let peak = values["VmPeak"], let resident = values["VmRSS"], let peakResident = values["VmHWM"]
        else { throw GuestAgentError(.notReady, "the database is not running") }
        return GuestDiagnostics(
            version: Product.version, threads: threads, descriptorSlots: slots, sizeKiB: size, peakSizeKiB: peak,
            residentKiB: resident, peakResidentKiB: peakResident)
    }

    /// The limits of the engine's control groups; the flavor's where nothing enforces them.
    ///
    /// Source: kernel documentation, cgroup-v2 `memory.max`, `cpu.max`; cgroup-v1 `memory.limit_in_bytes`, `cpu.cfs_*`.
    var hardware: GuestHardware {
        let groups = configuration.cgroupProcs.compactMap { path in
            path.lastIndex(of: "/").map { String(path[..<$0]) }
        }
        func number(_ group: String, _ file: String) -> Int? { words(group, file).first.flatMap { Int($0) } }
        let flavor = configuration.memoryMB * 1024
        let memory = groups.compactMap { number($0, "memory.max") ?? number($0, "memory.limit_in_bytes") }.min()
        let shares = groups.compactMap { group -> Int? in
            let unified = words(group, "cpu.max")
            let quota = unified.first.flatMap { Int($0) } ?? number(group, "cpu.cfs_quota_us")
            let period = unified.last.flatMap { Int($0) } ?? number(group, "cpu.cfs_period_us")
            guard let quota, let period, quota > 0, period > 0 else { return nil }
            return (quota + period - 1) / period
        }
        // Version 1 writes "no limit" as a number larger than any memory.
        return GuestHardware(
            memoryKiB: memory.map { min($0 / 1024, flavor) } ?? flavor,
            processors: shares.min() ?? max(1, configuration.vcpus))
    }

    private func words(_ group: String, _ file: String) -> [Substring] {
        guard let content = try? FileAccess.read("\(group)/\(file)", limit: 4096) else { return [] }
        return String(decoding: content, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    }
}
