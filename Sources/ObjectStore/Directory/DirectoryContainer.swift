// SPDX-License-Identifier: Apache-2.0

package import Model

#if canImport(Glibc)
    import Glibc
#endif

extension DirectoryObjectStore {
    /// Published objects of one project with their sizes in bytes and when they were written, in no order. Unfinished ones are not among them.
    package func sizes(project: String) throws(ObjectStoreError) -> [(object: String, bytes: Int, modified: Timestamp)]
    {
        guard ObjectName.isComponent(project) else {
            throw ObjectStoreError(.invalidName, "'\(project)' is no project of an object store.")
        }
        do throws(ObjectStoreError) {
            let directory = try openProject(project, in: try openRoot())
            var found: [(object: String, bytes: Int, modified: Timestamp)] = []
            for name in try entries(of: directory, path: root + "/" + project) where ObjectName.isComponent(name) {
                var status = stat()
                guard fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                    status.st_mode & S_IFMT == S_IFREG
                else { continue }
                found.append((name, Int(status.st_size), Self.modified(status)))
            }
            return found
        } catch  where error.code == .notFound {
            return []
        }
    }

    /// When a published object was written; nil when it is not there.
    func modified(_ name: String) throws(ObjectStoreError) -> Timestamp? {
        let name = try ObjectName(name)
        do throws(ObjectStoreError) {
            let directory = try openProject(name.project, in: try openRoot())
            var status = stat()
            guard fstatat(directory.number, name.backup, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
            return Self.modified(status)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    private static func modified(_ status: stat) -> Timestamp {
        let time = status.st_mtim
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
