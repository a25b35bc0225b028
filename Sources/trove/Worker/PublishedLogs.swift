// SPDX-License-Identifier: Apache-2.0

import API
import Model
import ObjectStore

/// What guests published, as files of the home.
struct PublishedLogs: PublishedObjects {
    let root: String

    func list(_ container: String, project: String, prefix: String) async throws(APIFault) -> [PublishedObject] {
        try await blocking { () throws(ObjectStoreError) in
            try objects(container, project).entries(prefix: prefix).map {
                PublishedObject(name: $0.name, bytes: $0.bytes, modified: $0.modified)
            }
        }
    }

    func read(
        _ container: String, project: String, name: String
    ) async throws(APIFault) -> (bytes: [UInt8], modified: Timestamp)? {
        guard 1...255 ~= name.utf8.count else { return nil }
        return try await blocking { () throws(ObjectStoreError) in
            let objects = objects(container, project)
            var bytes: [UInt8] = []
            do throws(ObjectStoreError) {
                try objects.get(name) { part in
                    bytes += part
                    return true
                }
            } catch {
                if error.code == .notFound { return nil }
                throw error
            }
            guard let modified = try objects.modified(name) else { return nil }
            return (bytes, modified)
        }
    }

    private func objects(_ container: String, _ project: String) -> ObjectContainer {
        ObjectContainer(root: root + "/" + container, project: project)
    }

    private func blocking<Value: Sendable>(
        _ body: @Sendable @escaping () throws(ObjectStoreError) -> Value
    ) async throws(APIFault) -> Value {
        let result = await BlockingCall.run { () -> Result<Value, ObjectStoreError> in
            do throws(ObjectStoreError) { return .success(try body()) } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value
        case .failure:
            var fault = APIFault(503, "The object store cannot answer now; please try again.")
            fault.retryAfter = 1
            throw fault
        }
    }
}
