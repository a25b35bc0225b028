// SPDX-License-Identifier: Apache-2.0

import Model
package import ObjectStore

/// Seals with a data key of each secret's own, which the project's key wraps, as that of a backup is.
///
/// Shape: Base64 of format (1 byte, 1), the wrapped data key (65), and what `SecretCipher` makes.
package struct ProjectKeySeal: SecretSeal {
    private static let format: UInt8 = 1
    private static let wrappedBytes = 65

    private let keys: ProjectKeys
    private let threads: any BlockingThreads

    package init(keys: ProjectKeys, threads: any BlockingThreads) {
        self.keys = keys
        self.threads = threads
    }

    package func seal(
        _ payload: [UInt8], projectID: String, secretID: String
    ) async throws(KeyManagerError) -> String {
        let keys = keys
        let result = await threads.run { () -> Result<(dataKey: [UInt8], wrapped: [UInt8]), ObjectStoreError> in
            do throws(ObjectStoreError) {
                return .success(try keys.makeDataKey(projectID: projectID, backupID: Self.owner(secretID)))
            } catch { return .failure(error) }
        }
        let made = try Self.value(result)
        var key = made.dataKey
        defer { key.cleanse() }
        return Base64.encode(
            [Self.format] + made.wrapped
                + (try SecretCipher.seal(payload, key: key, projectID: projectID, secretID: secretID)))
    }

    package func open(
        _ box: String, projectID: String, secretID: String
    ) async throws(KeyManagerError) -> [UInt8] {
        guard let bytes = Base64.decode(box), bytes.count > Self.wrappedBytes, bytes[0] == Self.format else {
            throw SecretCipher.damaged(secretID)
        }
        let wrapped = Array(bytes[1...Self.wrappedBytes])
        let keys = keys
        let result = await threads.run { () -> Result<[UInt8], ObjectStoreError> in
            do throws(ObjectStoreError) {
                return .success(try keys.unwrap(wrapped, projectID: projectID, backupID: Self.owner(secretID)))
            } catch { return .failure(error) }
        }
        var key = try Self.value(result)
        defer { key.cleanse() }
        return try SecretCipher.open(
            Array(bytes[(Self.wrappedBytes + 1)...]), key: key, projectID: projectID, secretID: secretID)
    }

    /// No backup's id: those have no slash.
    private static func owner(_ secretID: String) -> String { "secret/" + secretID }

    private static func value<Value>(_ result: Result<Value, ObjectStoreError>) throws(KeyManagerError) -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let error): throw KeyManagerError(error.code == .key ? .key : .unavailable, error.message)
        }
    }
}
