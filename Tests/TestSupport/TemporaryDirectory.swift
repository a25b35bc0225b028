// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs `body` with a new directory (mode 0700, short path), which is removed afterwards also when `body` throws.
@discardableResult
package func withTemporaryDirectory<Value>(_ body: (_ path: String) async throws -> Value) async throws -> Value {
    var template = Array("/tmp/trove-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
    let path = String(cString: made)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
