// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Synchronization
import Testing
import TrovePluginKit

/// What plugins in Swift see of the host's services.
@Suite("The kit's services", .serialized)
struct ServicesTests {
    /// Runs `body` as a plugin's action.
    @discardableResult
    private func act(_ call: TestCall = TestCall(), _ body: @escaping (Call) throws -> Void) throws -> TestCall {
        KitActions.body = body
        try KitCall.run(2, in: call)
        return call
    }

    private func refusal(_ call: TestCall = TestCall(), _ body: @escaping (Call) throws -> Void) -> CallFailure? {
        do {
            try act(call, body)
            return nil
        } catch { return error as? CallFailure }
    }

    @Test("values have revisions, and lists have all pages")
    func values() throws {
        try act { call in
            let kv = Host.kv
            #expect(try kv.get("a", call: call) == nil)
            #expect(try kv.put("a", [0, 255], call: call) == 1)
            #expect(try kv.put("a", [1], expected: .revision(1), call: call) == 2)
            #expect(try kv.put("b", [], expected: .absent, call: call) == 3)
            let value = try kv.get("a", call: call)
            #expect(value?.bytes == [1] && value?.revision == 2)
            #expect(try kv.get("b", call: call)?.text == "")
            for name in ["c", "d", "e"] { try kv.put(name, Array(name.utf8), call: call) }
            #expect(try kv.keys(call: call) == ["a", "b", "c", "d", "e"])
            #expect(try kv.keys(prefix: "d", call: call) == ["d"])
            try kv.remove("a", expected: .revision(2), call: call)
            try kv.remove("a", call: call)
            #expect(try kv.get("a", call: call) == nil)
        }
        let refused = refusal { call in
            try Host.kv.put("a", [1], call: call)
            try Host.kv.put("a", [2], expected: .absent, call: call)
        }
        // The host's sentence, not another one of the kit's.
        #expect(
            refused?.status == trove_status(TROVE_PRECONDITION_FAILED)
                && refused?.message == "another revision is there")
    }

    @Test("objects go through streams both ways, and what a stream throws comes out")
    func objects() throws {
        let text = Array("a longer text than one piece".utf8)
        let call = try act { call in
            try Host.objects.put("one", text, call: call)
            try Host.objects.put("two", [], call: call)
            try Host.objects.put("three", [1], call: call)
            var read: [UInt8] = []
            try Host.objects.get("one", call: call) { read += $0 }
            #expect(read == text)
            let items = try Host.objects.list(call: call)
            #expect(items.map(\.name) == ["one", "three", "two"] && items.map(\.bytes) == [text.count, 1, 0])
            try Host.objects.remove("three", call: call)
            #expect(throws: PluginFailure.self) { try Host.objects.get("three", call: call) { _ in } }
        }
        #expect(call.services.objects == ["one": text, "two": []])
        let cut = TestCall()
        let failure = refusal(cut) { call in
            try Host.objects.put("half", call: call) { _ in throw PluginFailure(.exhausted, "the disk is full") }
        }
        #expect(failure?.message == "the disk is full" && cut.services.objects.isEmpty)
        let sunk = refusal { call in
            try Host.objects.put("x", text, call: call)
            try Host.objects.get("x", call: call) { _ in throw PluginFailure(.busy, "no room") }
        }
        #expect(sunk?.status == trove_status(TROVE_BUSY))
    }

    @Test("HTTP requests are sent with texts and with streams")
    func http() throws {
        let call = TestCall()
        call.services.exchange = { request, body in
            if request["url"] == "http://forbidden/" {
                throw CallFailure(status: trove_status(TROVE_PERMISSION_DENIED), message: "not on the list")
            }
            let isStreamed = request["method"] == "PUT"
            let headers: JSON = ["x-sent": .string("\(body.count)"), "x-request": .string(request.text)]
            return (
                .members(["status": 404, "headers": headers, "body": isStreamed ? nil : "none"]),
                isStreamed ? Array("streamed".utf8) : []
            )
        }
        try act(call) { call in
            let plain = try Host.http.send(
                HTTPRequest("GET", "http://here/", headers: ["a": "b"], timeoutSeconds: 1.5), call: call)
            #expect(plain.status == 404 && plain.body == "none" && plain.headers["x-sent"] == "0")
            #expect(
                plain.headers["x-request"]
                    == #"{"headers":{"a":"b"},"method":"GET","timeout_s":1.5,"url":"http://here/"}"#)
            var (left, got) = (20, [UInt8]())
            let streamed = try Host.http.send(
                HTTPRequest("PUT", "http://here/"),
                upload: { buffer in
                    let count = min(left, buffer.count)
                    left -= count
                    return count
                }, download: { got += $0 }, call: call)
            #expect(streamed.headers["x-sent"] == "20" && streamed.body == nil)
            #expect(String(decoding: got, as: UTF8.self) == "streamed")
        }
        let refused = refusal(call) { call in
            _ = try Host.http.send(HTTPRequest("GET", "http://forbidden/"), call: call)
        }
        #expect(refused?.status == trove_status(TROVE_PERMISSION_DENIED) && refused?.message == "not on the list")
    }

    @Test("the other role is asked and told")
    func messages() throws {
        let call = TestCall()
        call.services.peer = { request in
            if request["method"] == "fail" { throw CallFailure(status: trove_status(TROVE_BUSY), message: "later") }
            return request
        }
        try act(call) { call in
            let fromGuest = try Host.rpc.call("m", [1], call: call)
            #expect(fromGuest == ["method": "m", "payload": [1]])
            let fromControl = try Host.rpc.call("m", .null, instanceID: "i", call: call)
            #expect(fromControl == ["method": "m", "payload": .null, "instance_id": "i"])
            try Host.rpc.cast("c", "x", call: call)
        }
        #expect(call.services.casts == [["method": "c", "payload": "x"]])
        #expect(refusal(call) { _ = try Host.rpc.call("fail", 1, call: $0) }?.message == "later")
    }

    @Test("metrics are made at the start and recorded with their labels; one that is refused is silent")
    func metrics() throws {
        _ = try KitPlugin.table.get()
        KitPlugin.counter?.record(2, ["a", "b"])
        KitPlugin.refused?.record(3)
        let lines = TestServices.measurements.withLock { $0 }
        let place = try #require(lines.firstIndex(of: #"1 kit_things ["kind", "place"]: Things."#))
        #expect(lines.contains("\(place + 1) 2.0 [\"a\", \"b\"]"))
        #expect(lines.contains("2 refused []: The host does not want it.") && !lines.contains { $0.contains("3.0") })
    }

    @Test("reports go out with a call and without")
    func reports() throws {
        try act { call in
            try Host.report.status(.blocked, call: call)
            try Host.report.rootEnabled()
            try Host.report.backup("b", "half way")
            #expect(throws: PluginFailure.self) { try Host.report.backup("b", "refused") }
        }
        #expect(
            TestServices.reports.withLock { $0 } == [
                #"service_status {"status":"blocked"}"#, "root_enabled {}",
                #"backup {"backup_id":"b","message":"half way"}"#,
            ])
        let refused = refusal { try Host.report.backup("b", "refused", call: $0) }
        #expect(refused?.status == trove_status(TROVE_EXHAUSTED) && refused?.message == "too many reports")
    }

    @Test("the clock tells time, and a pause ends with its call")
    func clock() throws {
        #expect(Host.clock.nanoseconds == 1_700_000_000_000_000_000 && Host.clock.monotonicNanoseconds == 42)
        let call = try act { call in
            try Host.clock.sleep(.milliseconds(1500), call: call)
            try Host.clock.sleep(.seconds(Int64.max / 2), call: call)
        }
        #expect(call.services.pauses == [1_500_000_000, .max])
        let cancelled = TestCall()
        cancelled.isCancelled = true
        #expect(
            refusal(cancelled) { try Host.clock.sleep(.seconds(1), call: $0) }?.status == trove_status(TROVE_CANCELLED))
    }
}
