// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// Writes instances. Source: REST contract §3.2; a member that does not apply is absent, never null.
struct InstanceView {
    enum Depth {
        case list
        case detail
        case create
        case show
        /// An item of the administrators' list, and what they see of one.
        case managedList
        case managedShow
    }

    let depth: Depth
    private let instanceLinks: LinkWriter.CollectionLinks
    private let flavorLinks: LinkWriter.CollectionLinks
    private let configurationLinks: LinkWriter.CollectionLinks
    private let isAdmin: Bool
    let now: Timestamp
    let expiry: Duration

    init(_ depth: Depth, _ call: APICall) {
        self.depth = depth
        let links = call.links
        instanceLinks = links.of("instances")
        flavorLinks = links.of("flavors")
        configurationLinks = links.of("configurations")
        isAdmin = call.context.isAdmin
        now = call.now
        expiry = call.configuration.heartbeatExpiry
    }

    /// An item of a list, whatever the view's depth.
    func write(_ outline: InstanceOutline, _ writer: inout JSONWriter) {
        write(outline, nil, nil, nil, &writer)
    }

    /// An item of a list in detail.
    func write(_ detail: InstanceDetail, _ writer: inout JSONWriter) {
        write(detail.outline, detail, nil, nil, &writer)
    }

    func write(_ summary: InstanceSummary, _ writer: inout JSONWriter) {
        let detail = summary.detail
        write(detail.outline, detail, summary, nil, &writer)
    }

    func write(_ managed: ManagedInstance, _ writer: inout JSONWriter) {
        let detail = managed.summary.detail
        write(detail.outline, detail, managed.summary, managed, &writer)
    }

    /// - Parameters:
    ///   - detail: nil for an item of a list.
    ///   - summary: nil for an item of any list.
    private func write(
        _ instance: InstanceOutline, _ detail: InstanceDetail?, _ summary: InstanceSummary?,
        _ managed: ManagedInstance?, _ writer: inout JSONWriter
    ) {
        let isDeleted = summary?.instance.deleted != nil
        let word = isDeleted ? "SHUTDOWN" : instance.status.status
        writer.object { writer in
            writer.member("id", instance.id)
            writer.member("name", instance.name)
            writer.member("status", word)
            writer.member(
                "operating_status", isDeleted ? "" : instance.status.operatingStatus(now: now, expiry: heartbeatExpiry))
            instanceLinks.write(&writer, instance.id)
            writer.key("flavor")
            writer.object { writer in
                writer.member("id", instance.flavorID)
                flavorLinks.write(&writer, instance.flavorID)
            }
            writeDatastore(instance, number: detail?.datastoreVersionNumber, &writer)
            writer.member("region", instance.region)
            writeNetwork(instance, &writer)
            if depth == .managedShow, let summary {
                writeManagedVolume(summary, &writer)
            } else {
                writeVolume(instance, used: depth == .show ? summary?.instance.volumeUsedBytes : nil, word, &writer)
            }
            if isAdmin { writer.member("tenant_id", instance.projectID) }
            if let detail { writeDetail(detail, &writer) }
            if let managed { writeManaged(managed, &writer) }
        }
    }

    private func writeDatastore(_ instance: InstanceOutline, number: String?, _ writer: inout JSONWriter) {
        writer.key("datastore")
        writer.object { writer in
            writer.member("type", instance.datastoreName)
            writer.member("version", instance.datastoreVersionName)
            if let number { writer.member("version_number", number) }
        }
    }

    private func writeNetwork(_ instance: InstanceOutline, _ writer: inout JSONWriter) {
        if let access = instance.access {
            writer.member("access", access)
        } else {
            writer.key("access")
            writer.object { writer in
                if instance.address != nil { writer.member("is_public", false) }
            }
        }
        guard let address = instance.address else { return }
        writer.key("ip")
        writer.array { $0.string(address) }
        writer.key("addresses")
        writer.array { writer in
            writer.object { writer in
                writer.member("address", address)
                writer.member("type", "private")
            }
        }
    }

    /// `used` is what the guest last reported: a show never waits for a guest. `used_percent` is of the size.
    private func writeVolume(
        _ instance: InstanceOutline, used: Int?, _ status: String, _ writer: inout JSONWriter
    ) {
        guard instance.volumeGiB > 0 else { return }
        writer.key("volume")
        writer.object { writer in
            writer.member("size", instance.volumeGiB)
            guard let used, !Self.hidesUsage.contains(status) else { return }
            writer.key("used")
            writer.double(gigabytes(Int64(used)))
            let bytes = Double(instance.volumeGiB) * 1_073_741_824
            writer.key("used_percent")
            writer.double((Double(used) / bytes * 10_000).rounded() / 100)
        }
    }

    private func writeDetail(_ detail: InstanceDetail, _ writer: inout JSONWriter) {
        let instance = detail.outline
        writer.member("created", instance.created)
        writer.member("updated", detail.updated)
        writer.member("service_status_updated", detail.serviceUpdated)
        if let fault = detail.fault {
            writer.key("fault")
            writer.object { writer in
                writer.member("message", fault.message)
                writer.member("created", fault.updated)
                writer.member("details", isAdmin ? fault.details : nil)
            }
        }
        if let configuration = detail.configuration {
            writer.key("configuration")
            writer.object { writer in
                writer.member("id", configuration.id)
                writer.member("name", configuration.name)
                configurationLinks.write(&writer, configuration.id)
            }
        }
        if let membership = detail.membership {
            writer.member("cluster_id", membership.clusterID)
            if let shardID = membership.shardID { writer.member("shard_id", shardID) }
        }
        guard isAdmin else { return }
        writer.member("server_id", detail.serverID)
        writer.member("volume_id", String?.none)
        writer.member("encrypted_rpc_messaging", detail.isSealed)
    }

    private static let hidesUsage: Set<String> = [
        "BUILD", "REBOOT", "RESIZE", "PROMOTE", "EJECT", "UPGRADE", "SHUTDOWN",
    ]
}

/// GB (2^30 bytes) with two decimals; never 0 for something.
func gigabytes(_ bytes: Int64) -> Double {
    guard bytes > 0 else { return 0 }
    return max(0.01, (Double(bytes) / 1_073_741_824 * 100).rounded() / 100)
}
