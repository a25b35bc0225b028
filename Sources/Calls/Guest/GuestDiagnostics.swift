// SPDX-License-Identifier: Apache-2.0

package import Model

/// What `get_diagnostics` answers: the engine's main process as the kernel sees it.
///
/// Shape: `{"version": text, "threads", "fd_size", "vm_size", "vm_peak", "vm_rss", "vm_hwm": ints}`; sizes in KiB, `fd_size` in
/// descriptors. `version` is the agent's. Source: guest manager of the reference service's older releases; proc(5), `status`.
package struct GuestDiagnostics: Sendable, Hashable {
    package var version: String
    package var threads: Int
    package var descriptorSlots: Int
    package var sizeKiB: Int
    package var peakSizeKiB: Int
    package var residentKiB: Int
    package var peakResidentKiB: Int

    package init(
        version: String, threads: Int, descriptorSlots: Int, sizeKiB: Int, peakSizeKiB: Int, residentKiB: Int,
        peakResidentKiB: Int
    ) {
        self.version = version
        self.threads = threads
        self.descriptorSlots = descriptorSlots
        self.sizeKiB = sizeKiB
        self.peakSizeKiB = peakSizeKiB
        self.residentKiB = residentKiB
        self.peakResidentKiB = peakResidentKiB
    }

    package var json: JSONValue {
        [
            "version": .string(version), "threads": .int(Int64(threads)), "fd_size": .int(Int64(descriptorSlots)),
            "vm_size": .int(Int64(sizeKiB)), "vm_peak": .int(Int64(peakSizeKiB)), "vm_rss": .int(Int64(residentKiB)),
            "vm_hwm": .int(Int64(peakResidentKiB)),
        ]
    }

    /// nil when a member is missing or of another type.
    package init?(json: JSONValue) {
        guard let version = json["version"]?.stringValue, let threads = json["threads"]?.intValue,
            let slots = json["fd_size"]?.intValue, let size = json["vm_size"]?.intValue,
            let peak = json["vm_peak"]?.intValue, let resident = json["vm_rss"]?.intValue,
            let peakResident = json["vm_hwm"]?.intValue
        else { return nil }
        self.init(
            version: version, threads: threads, descriptorSlots: slots, sizeKiB: size, peakSizeKiB: peak,
            residentKiB: resident, peakResidentKiB: peakResident)
    }
}

/// What `get_hwinfo` answers: what the engine may use of its host.
///
/// Shape: `{"mem_total": KiB, "num_cpus": int}`. Source: as `GuestDiagnostics`.
package struct GuestHardware: Sendable, Hashable {
    package var memoryKiB: Int
    package var processors: Int

    package init(memoryKiB: Int, processors: Int) {
        self.memoryKiB = memoryKiB
        self.processors = processors
    }

    package var json: JSONValue {
        ["mem_total": .int(Int64(memoryKiB)), "num_cpus": .int(Int64(processors))]
    }

    /// nil when a member is missing or of another type.
    package init?(json: JSONValue) {
        guard let memory = json["mem_total"]?.intValue, let processors = json["num_cpus"]?.intValue else { return nil }
        self.init(memoryKiB: memory, processors: processors)
    }
}
