// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#endif

extension DirectoryObjectStore {
    /// Published objects of one project and their sizes in bytes, in no order. Unfinished ones are not among them.
    package func sizes(project: String) throws(ObjectStoreError) -> [(object: String, bytes: Int)] {
        guard ObjectName.isComponent(project) else {
            throw ObjectStoreError(.invalidName, "'\(project)' is no project of an object store.")
        }
        do throws(ObjectStoreError) {
            let directory = try openProject(project, in: try openRoot())
            var found: [(object: String, bytes: Int)] = []
            for name in try entries(of: directory, path: root + "/" + project) where ObjectName.isComponent(name) {
                var status = stat()
                guard fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                    status.st_mode & S_IFMT == S_IFREG
                else { continue }
                found.append((name, Int(status.st_size)))
            }
            return found
        } catch  where error.code == .notFound {
            return []
        }
    }
}
