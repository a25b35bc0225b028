// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Synchronization
import TrovePluginKit

/// What the services of the tests' host hold and answer with, for one call.
final class TestServices {
    var values: [String: (bytes: [UInt8], revision: UInt64)] = [:]
    var objects: [String: [UInt8]] = [:]
    /// Gets the request and its streamed body; the answer, and what a sink gets of it.
    var exchange: (JSON, [UInt8]) throws -> (JSON, [UInt8]) = { _, _ in throw TestProblem("no HTTP") }
    /// The plugin in the other role.
    var peer: (JSON) throws -> JSON = { _ in throw TestProblem("no peer") }
    var casts: [JSON] = []
    var pauses: [Int64] = []
    private var revision: UInt64 = 0

    /// Reports and measurements have no call.
    static let reports = Mutex<[String]>([])
    static let measurements = Mutex<[String]>([])

    func put(_ key: String, _ bytes: [UInt8], expected: UInt64) throws -> UInt64 {
        try check(key, expected)
        revision += 1
        values[key] = (bytes, revision)
        return revision
    }

    func remove(_ key: String, expected: UInt64) throws {
        try check(key, expected)
        values[key] = nil
    }

    private func check(_ key: String, _ expected: UInt64) throws {
        guard expected == UInt64.max || expected == values[key]?.revision ?? 0 else {
            throw CallFailure(status: trove_status(TROVE_PRECONDITION_FAILED), message: "another revision is there")
        }
    }

    /// Two names a page.
    static func page(_ request: JSON, _ names: some Sequence<String>, _ member: String, _ item: (String) -> JSON)
        -> JSON
    {
        let prefix = request["prefix"]?.stringValue ?? ""
        let after = request["after"]?.stringValue ?? ""
        let left = names.filter { $0.hasPrefix(prefix) && $0 > after }.sorted()
        let page = left.prefix(2)
        return [
            member: .array(page.map(item)), "next": left.count > page.count ? .optional(page.last) : .null,
        ]
    }
}

/// The plugin's streams, as a host uses them: in small pieces.
enum TestStream {
    static func read(_ stream: UnsafePointer<trove_istream_1>?) throws -> [UInt8] {
        guard let stream, let read = stream.pointee.read else { return [] }
        var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 7))
        while true {
            let count = read(stream, &buffer, buffer.count)
            guard count >= 0 else { throw CallFailure(status: trove_status(TROVE_CANCELLED), message: "cut off") }
            if count == 0 { return bytes }
            bytes += buffer[..<Int(count)]
        }
    }

    static func write(_ bytes: [UInt8], to stream: UnsafePointer<trove_ostream_1>?) throws {
        guard let stream, let write = stream.pointee.write else { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.prefix(7).withUnsafeBytes { write(stream, $0.baseAddress, $0.count) }
            guard count > 0 else { throw CallFailure(status: trove_status(TROVE_CANCELLED), message: "cut off") }
            rest = rest.dropFirst(Int(count))
        }
    }
}
