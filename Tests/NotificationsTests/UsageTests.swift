// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import StateStore
import TestSupport
import Testing

@Suite("Usage")
struct UsageTests {
    private let fixture = Fixture()

    private func usage(datastore: String = "engine", volumeGiB: Int = 5) -> Usage {
        var instance = InstanceRecord(
            id: "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10", name: "db1", projectID: "p-1", flavorID: "2",
            volumeGiB: volumeGiB, datastoreVersionID: "v", created: fixture.clock.now, task: .none, service: .healthy,
            serverStatus: .active)
        instance.serverID = "srv-1"
        let summary = InstanceSummary(
            instance: instance, datastoreName: datastore, datastoreVersionName: "8.0", datastoreVersionNumber: "8.0",
            backupIsRunning: false, fault: nil)
        return Usage(
            summary, flavor: Flavor(id: "2", name: "m1.small", ramMiB: 2048, vcpus: 1),
            volumeID: volumeGiB > 0 ? "vol-1" : nil)
    }

    private let created: [String: JSONValue] = [
        "availability_zone": .null, "created_at": "2020-09-13T12:26:40Z",
        "instance_id": "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10", "instance_name": "db1", "instance_size": 2048,
        "instance_type": "m1.small", "instance_type_id": "2", "launched_at": "2020-09-13T12:26:40Z", "name": "db1",
        "nova_instance_id": "srv-1", "nova_volume_id": "vol-1", "region": "LOCAL_DEV",
        "service_id": "2f3ff068-2bfb-4f70-9a9d-a6bb65bc084b", "state": "active", "state_description": "active",
        "tenant_id": "p-1", "user_id": "u-1", "volume_size": 5,
    ]

    @Test("a create has what the reference service sends, from the bare host")
    func create() {
        let message = fixture.notifier.created(usage(), context: Fixture.context)
        #expect(message.eventType == "trove.instance.create")
        #expect(message.publisherID == "10.0.0.1")
        #expect(message.payload == created)
    }

    @Test("a delete adds when")
    func delete() {
        let message = fixture.notifier.deleted(
            usage(), at: Timestamp(microseconds: 1_600_000_060_000_000), context: Fixture.context)
        #expect(message.eventType == "trove.instance.delete")
        #expect(message.payload == created.merging(["deleted_at": "2020-09-13T12:27:40Z"]) { $1 })
    }

    @Test("without a volume nothing is said of one, and a datastore without a service id says so")
    func sparse() {
        let payload = fixture.notifier.created(usage(datastore: "other", volumeGiB: 0), context: Fixture.context)
            .payload
        #expect(payload["volume_size"] == nil)
        #expect(payload["nova_volume_id"] == nil)
        #expect(payload["service_id"] == "unknown-service-id-error")
    }

    @Test("an instance that exists names the audit period, from the task manager")
    func exists() {
        let ending = Timestamp(microseconds: 1_600_003_600_000_000)
        let message = fixture.notifier.exists(usage(), from: fixture.clock.now, to: ending)
        #expect(message.eventType == "trove.instance.exists")
        #expect(message.publisherID == "taskmanager.10.0.0.1")
        #expect(
            message.payload == [
                "audit_period_beginning": "2020-09-13T12:26:40Z", "audit_period_ending": "2020-09-13T13:26:40Z",
                "created_at": "2020-09-13T12:26:40.000000", "display_name": "db1",
                "instance_id": "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10", "instance_name": "db1",
                "instance_type_id": "2", "launched_at": "2020-09-13T12:26:40.000000", "nova_instance_id": "srv-1",
                "region": "LOCAL_DEV", "service_id": "2f3ff068-2bfb-4f70-9a9d-a6bb65bc084b", "state": "active",
                "state_description": "active", "tenant_id": "p-1",
            ])
    }

    @Test("a quota says what is in use of it")
    func quota() {
        let message = fixture.notifier.quota(
            projectID: "p-1", resource: "instances", inUse: 1, limit: 10, at: fixture.clock.now)
        #expect(message.eventType == "dbaas.quota")
        #expect(message.publisherID == "10.0.0.1")
        #expect(
            message.payload == [
                "in_use": 1, "limit": 10, "reserved": 0, "resource": "instances",
                "updated": "2020-09-13T12:26:40.000000",
            ])
    }
}
