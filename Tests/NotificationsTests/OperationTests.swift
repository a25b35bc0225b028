// SPDX-License-Identifier: Apache-2.0

import Model
import Notifications
import Testing

@Suite("Operation")
struct OperationTests {
    private static let base: Set<String> = ["tenant_id", "client_ip", "server_ip", "server_type", "request_id"]

    @Test("the start of a create is what the reference service sends")
    func createStart() {
        let fixture = Fixture()
        let operation = Fixture.operation(
            .instanceCreate,
            [
                "availability_zone": "nova", "datastore": "engine", "datastore_version": "8.0", "flavor_id": "2",
                "image_id": "img", "name": "db1", "region_name": "R",
            ])
        let message = fixture.notifier.start(operation, by: .api)
        #expect(message.eventType == "dbaas.instance_create.start")
        #expect(message.publisherID == "api.10.0.0.1")
        #expect(
            message.payload == [
                "availability_zone": "nova", "client_ip": "10.0.0.9", "datastore": "engine",
                "datastore_version": "8.0", "flavor_id": "2", "image_id": "img", "name": "db1", "region_name": "R",
                "request_id": "req-11111111-2222-3333-4444-555555555555", "server_ip": "10.0.0.1:8779",
                "server_type": "api", "tenant_id": "p-1",
            ])
    }

    @Test("an end has what the start had, and what was added")
    func accumulates() {
        let fixture = Fixture()
        var operation = Fixture.operation(.backupCreate, ["name": "b", "instance_id": "i"])
        let start = fixture.notifier.start(operation, by: .api)
        operation = Operation(.backupCreate, context: Fixture.context, continuing: start.payload)
        operation.add(["backup_id": "b-1"])
        let end = fixture.notifier.end(operation, by: .guest)
        #expect(end.publisherID == "guest.10.0.0.1")
        #expect(
            end.payload
                == start.payload.merging(["backup_id": "b-1", "server_type": "guest"]) { $1 })
        #expect(end.id != start.id)
    }

    @Test("an error has a message and a traceback, at the priority of everything else")
    func error() {
        let fixture = Fixture()
        let operation = Fixture.operation(.databaseCreate, ["instance_id": "i-1", "dbname": "db2"])
        let message = fixture.notifier.error(operation, by: .api, message: "boom", kind: "ValueError")
        #expect(message.eventType == "dbaas.database_create.error")
        #expect(message.members["priority"] == "INFO")
        #expect(message.payload["message"] == "boom")
        #expect(message.payload["exception"] == ["ValueError: boom\n"])
        #expect(message.payload["dbname"] == "db2")
    }

    @Test("every event has its traits, known or not", arguments: OperationEvent.allCases)
    func traits(_ event: OperationEvent) {
        let fixture = Fixture()
        let start = fixture.notifier.start(Fixture.operation(event), by: .api)
        #expect(Set(start.payload.keys) == Self.base.union(event.startTraits))
        #expect(start.eventType == "dbaas.\(event.rawValue).start")
    }

    @Test("every flow has an event of its own")
    func flows() {
        #expect(Set(FlowName.allCases.map(OperationEvent.init(flow:))).count == FlowName.allCases.count)
    }

    @Test("what is a secret by its name does not get into a payload")
    func secrets() {
        let fixture = Fixture()
        let user = UserSpecification(name: "alice", password: Secret("pa55word"), databases: ["db1"])
        var operation = Fixture.operation(.userCreate, ["username": "alice", "users": [user.json]])
        operation.add(["password": "pa55word"])
        #expect(!JSONValue.object(fixture.notifier.end(operation, by: .api).members).text.contains("pa55word"))
    }
}
