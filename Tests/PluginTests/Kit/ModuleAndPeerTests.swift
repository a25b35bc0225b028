// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

@Suite("The kit's module drivers and peers")
struct ModuleAndPeerTests {
    private typealias Function = @convention(c) (OpaquePointer?, trove_str) -> trove_status

    private static func call(_ function: Function?, _ request: JSON) throws -> JSON? {
        guard let function else { throw TestProblem("the entry is NULL") }
        return try request.text.lent { request in try TestCall().run { token, _ in function(token, request) } }
    }

    /// Why a call failed.
    private static func refusal(_ function: Function?, _ request: JSON) -> CallFailure? {
        do {
            _ = try call(function, request)
            return nil
        } catch { return error as? CallFailure }
    }

    private static func module(_ changes: [String: JSON] = [:]) -> JSON {
        .object(
            ["id": "1", "name": "n", "type": "note", "contents": "AP+A", "md5": "d4"].merging(changes) { $1 })
    }

    @Test("modules are applied, looked at and taken away")
    func modules() throws {
        let table = try KitPlugin.table(TROVE_EXT_MODULE_DRIVER, trove_module_driver_1.self)
        #expect(String(cString: table.type) == "note")
        #expect(try Self.call(table.apply, Self.module()) == ["message": "1 n note [0, 255, 128] d4"])
        #expect(try Self.call(table.validate, Self.module()) == nil)
        #expect(try Self.call(table.remove, Self.module(["contents": ""])) == nil)
        let long = JSON.string(String(repeating: "AAAA", count: 40))
        let refused = Self.refusal(table.validate, Self.module(["contents": long]))
        #expect(refused?.status == trove_status(TROVE_INVALID_ARGUMENT) && refused?.message == "a note is short")
        #expect(Self.refusal(table.remove, Self.module(["name": "fixed"]))?.message == "it stays")
    }

    @Test("requests that no host sends are refused")
    func badRequests() throws {
        let driver = try KitPlugin.table(TROVE_EXT_MODULE_DRIVER, trove_module_driver_1.self)
        let peer = try KitPlugin.table(TROVE_EXT_RPC_PEER, trove_rpc_peer_1.self)
        for changes in [["contents": "*"], ["contents": .null], ["name": 1], ["type": .null]] as [[String: JSON]] {
            #expect(
                Self.refusal(driver.apply, Self.module(changes))?.status == trove_status(TROVE_INVALID_ARGUMENT),
                "\(changes)")
        }
        for request in [["from": "moon", "instance_id": "i", "method": "m"], [:], []] as [JSON] {
            #expect(Self.refusal(peer.handle, request)?.status == trove_status(TROVE_INVALID_ARGUMENT), "\(request)")
        }
    }

    @Test("a peer's messages are answered")
    func peer() throws {
        let table = try KitPlugin.table(TROVE_EXT_RPC_PEER, trove_rpc_peer_1.self)
        let message: JSON = ["from": "guest", "instance_id": "i", "method": "m", "payload": [1]]
        #expect(try Self.call(table.handle, message) == message)
        let bare: JSON = ["from": "control", "instance_id": "i", "method": "m"]
        #expect(try Self.call(table.handle, bare)?["payload"] == .null)
        let failing: JSON = ["from": "control", "instance_id": "i", "method": "fail"]
        #expect(Self.refusal(table.handle, failing)?.status == trove_status(TROVE_BUSY))
    }
}
