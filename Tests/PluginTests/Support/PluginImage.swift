// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import TrovePluginKit

/// Something that a test needs and does not find.
struct TestProblem: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// One plugin, mapped as the host maps it and started with the tests' host.
final class PluginImage: @unchecked Sendable {  // constant after init
    static let mariaDB = Result { try PluginImage("TroveMariaDB") }
    static let mariaBackup = Result { try PluginImage("TroveMariaBackup") }
    static let postgreSQL = Result { try PluginImage("TrovePostgreSQL") }
    static let pgBaseBackup = Result { try PluginImage("TrovePgBaseBackup") }
    static let redis = Result { try PluginImage("TroveRedis") }
    static let redisRDB = Result { try PluginImage("TroveRedisRDB") }
    static let sqlAdmin = Result { try PluginImage("TroveSQLAdmin") }
    static let memcached = Result { try PluginImage(example: "memcached") }

    let path: String
    let table: UnsafePointer<trove_plugin_1>
    let entry: @convention(c) (UInt32, UInt32) -> UnsafePointer<trove_plugin_1>?

    private convenience init(_ product: String) throws { try self.init(path: Self.path(of: product)) }

    /// One that Plugins/Examples/build.sh made.
    private convenience init(example name: String) throws {
        let beside = try Self.path(of: "TroveMariaDB")
        let path = "\(beside.prefix(upTo: beside.lastIndex(of: "/") ?? beside.endIndex))/examples/\(name)/\(name).so"
        guard access(path, R_OK) == 0 else { throw TestProblem("\(path) is missing; run Plugins/Examples/build.sh") }
        try self.init(path: path)
    }

    private init(path: String) throws {
        self.path = path
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw TestProblem("cannot map \(path): \(String(cString: dlerror()))")
        }
        guard let symbol = dlsym(handle, "trove_plugin_entry") else { throw TestProblem("\(path) has no entry") }
        entry = unsafeBitCast(symbol, to: (@convention(c) (UInt32, UInt32) -> UnsafePointer<trove_plugin_1>?).self)
        guard let table = entry(1, 0) else { throw TestProblem("\(path) refuses host 1.0") }
        self.table = table
        guard table.pointee.`init`?(TestHost.table) == 0 else { throw TestProblem("\(path) does not start") }
    }

    /// The product beside the test executable.
    static func path(of product: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The runner of the tests may be the toolchain's; then the build directory is the working directory's.
        let candidates = [
            own.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }, ".build/debug",
            ".build/release",
        ]
        for directory in candidates {
            let path = "\(directory)/lib\(product).so"
            if access(path, R_OK) == 0 { return path }
        }
        throw TestProblem("lib\(product).so is not built; run 'swift build --product \(product)' first")
    }

    func table<Table>(_ id: String, _ type: Table.Type) throws -> Table {
        guard let pointer = table.pointee.get_extension?(id) else { throw TestProblem("\(path) does not offer \(id)") }
        return pointer.load(as: type)
    }
}

/// One open call as the tests' host keeps it.
final class TestCall {
    var output: [UInt8] = []
    var failure: (status: Int32, message: String, details: String)?
    var isCancelled = false
    var progress: [String] = []
    /// What the host's services have for this call.
    let services = TestServices()
    let start = ContinuousClock.now
    let limit: Duration
    let control: (String, JSON) throws -> JSON
    /// Memory lent to the plugin until the call ends.
    var lent: [UnsafeMutableRawBufferPointer] = []

    init(
        limit: Duration = .seconds(60),
        control: @escaping (String, JSON) throws -> JSON = { _, _ in throw TestProblem("no control") }
    ) {
        self.limit = limit
        self.control = control
    }

    deinit { for buffer in lent { buffer.deallocate() } }

    static func from(_ handle: OpaquePointer?) -> TestCall? {
        handle.map { Unmanaged<TestCall>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    func lend(_ json: JSON) -> trove_str { lend(json.serialized) }

    func lend(_ bytes: [UInt8]) -> trove_str {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        buffer.copyBytes(from: bytes)
        lent.append(buffer)
        return trove_str(ptr: buffer.baseAddress?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }

    /// Runs `body` with the call's token; returns what the plugin emitted, `nil` for nothing.
    func run(_ body: (OpaquePointer, TestCall) -> trove_status) throws -> JSON? {
        let token = OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
        let status = withExtendedLifetime(self) { body(token, self) }
        guard status == 0 else {
            guard let failure, failure.status == status else {
                throw TestProblem("status \(status) without a recorded failure")
            }
            throw CallFailure(
                status: status, message: failure.message,
                details: failure.details.isEmpty ? nil : try JSON(parsing: failure.details))
        }
        return output.isEmpty ? nil : try JSON(parsing: output)
    }
}

/// What a plugin told the host about a call that failed.
struct CallFailure: Error, CustomStringConvertible {
    var status: Int32
    var message: String
    var details: JSON?

    init(status: Int32, message: String, details: JSON? = nil) {
        self.status = status
        self.message = message
        self.details = details
    }

    var description: String { "status \(status): \(message)" }
}

extension String {
    func lent<Result>(_ body: (trove_str) throws -> Result) rethrows -> Result {
        var copy = self
        return try copy.withUTF8 { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { try body(trove_str(ptr: $0.baseAddress, len: $0.count)) }
        }
    }

    init(_ text: trove_str) {
        self.init(decoding: UnsafeRawBufferPointer(start: text.ptr, count: text.len), as: UTF8.self)
    }
}
