// SPDX-License-Identifier: Apache-2.0

import Model

/// `placement.json`: what an instance has claimed.
struct PlacementRecord: Sendable, Hashable {
    var placement: Placement
    /// Name of the host that it is on; nil in records of releases that had only one.
    var host: String?

    init(_ placement: Placement, host: String?) {
        self.placement = placement
        self.host = host
    }

    init?(_ json: JSONValue?) {
        guard let address = json?["address"]?.stringValue, let uid = json?["uid"]?.intValue,
            let uid = UInt32(exactly: uid)
        else { return nil }
        placement = Placement(address: address, uid: uid)
        host = json?["host"]?.stringValue
    }

    var json: JSONValue {
        ["address": .string(placement.address), "uid": .int(Int64(placement.uid)), "host": .optional(host)]
    }

    func claims(isPrivileged: Bool) -> [(ClaimKind, String)] {
        isPrivileged ? [(.address, placement.address), (.uid, String(placement.uid))] : [(.address, placement.address)]
    }
}

/// `volume.json`: what an instance's volume is to be, written before it is made.
struct VolumeRecord: Sendable, Hashable {
    var sizeGiB: Int
    var templateKey: String?
    /// Whether it has been made completely: from then on its content is the engine's.
    var isReady: Bool

    init(sizeGiB: Int, templateKey: String?, isReady: Bool) {
        self.sizeGiB = sizeGiB
        self.templateKey = templateKey
        self.isReady = isReady
    }

    init?(_ json: JSONValue?) {
        guard let size = json?["size_gib"]?.intValue, let isReady = json?["ready"]?.boolValue else { return nil }
        self.init(sizeGiB: size, templateKey: json?["template"]?.stringValue, isReady: isReady)
    }

    var json: JSONValue {
        ["size_gib": .int(Int64(sizeGiB)), "template": .optional(templateKey), "ready": .bool(isReady)]
    }

    var bytes: UInt64 { UInt64(sizeGiB) << 30 }
}

/// `agent.json`: which process an instance's agent is, such that another one with the same number is not mistaken for it.
struct AgentRecord: Sendable, Hashable {
    var pid: Int32
    /// Clock ticks since boot.
    var startTime: UInt64
    var bootID: String

    init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    init?(_ json: JSONValue?) {
        guard let pid = json?["pid"]?.intValue, let pid = Int32(exactly: pid),
            let start = json?["start_time"]?.intValue,
            let start = UInt64(exactly: start), let bootID = json?["boot_id"]?.stringValue
        else { return nil }
        self.init(pid: pid, startTime: start, bootID: bootID)
    }

    var json: JSONValue {
        ["pid": .int(Int64(pid)), "start_time": .int(Int64(clamping: startTime)), "boot_id": .string(bootID)]
    }
}
