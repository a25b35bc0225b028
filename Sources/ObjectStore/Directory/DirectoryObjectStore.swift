// SPDX-License-Identifier: Apache-2.0

import Model

#if canImport(Glibc)
    import Glibc
#endif

/// Objects as files `<root>/<project>/<backup id>` or `<root>/<project>/<container>/<backup id>`, directories 0700, files 0600.
///
/// An object being written is `<backup id>~<random>` beside its future name: `~` cannot be part of a name, so an unfinished
/// file never passes for an object. Links below the root are not followed.
package final class DirectoryObjectStore: ObjectStore {
    /// The absolute root, without a slash at its end.
    package let root: String

    /// - Parameter root: A directory path; a relative one counts from the working directory of this moment. It is made
    ///   when the first object is.
    package init(root: String) {
        var absolute = root
        if !root.hasPrefix("/"), let current = getcwd(nil, 0) {
            absolute = String(cString: current) + "/" + root
            free(current)
        }
        let parts = absolute.split(separator: "/").filter { $0 != "." }
        self.root = "/" + parts.joined(separator: "/")
    }

    package func create(_ name: String) throws(ObjectStoreError) -> any ObjectSink {
        let name = try ObjectName(name)
        try makeDirectories(to: root)
        let root = try openRoot()
        try makeDirectory(name.project, in: root, path: self.root)
        if let container = name.container {
            let project = try openProject(name.project, in: root)
            try makeDirectory(container, in: project, path: path(name.project))
        }
        let project = try openDirectory(of: name, in: root)
        try removePartials(of: name, in: project)
        let partial = name.backup + "~" + SystemRandomSource().bytes(8).hex
        let file = try Descriptor(
            at: project.number, partial, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, action: "create",
            path: path(name.text))
        return DirectoryObjectSink(
            file: file, directory: project, partial: partial, final: name.backup, path: path(name.text))
    }

    package func open(_ name: String) throws(ObjectStoreError) -> any ObjectSource {
        let name = try ObjectName(name)
        let project = try openDirectory(of: name, in: try openRoot())
        let file = try Descriptor(
            at: project.number, name.backup, flags: O_RDONLY, action: "open", path: path(name.text))
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ObjectStoreError(.notFound, "\(path(name.text)) is not a file.")
        }
        posix_fadvise(file.number, 0, 0, POSIX_FADV_SEQUENTIAL)
        return DirectoryObjectSource(file: file, path: path(name.text))
    }

    package func delete(_ name: String) throws(ObjectStoreError) {
        let name = try ObjectName(name)
        do throws(ObjectStoreError) {
            let project = try openDirectory(of: name, in: try openRoot())
            try removePartials(of: name, in: project)
            if unlinkat(project.number, name.backup, 0) != 0, errno != ENOENT {
                throw ObjectStoreError(errno: errno, "delete", path: path(name.text))
            }
            try project.synchronize(path: path(name.directory))
        } catch  where error.code == .notFound {
            return
        }
    }

    package func list() throws(ObjectStoreError) -> [String] {
        var found: Set<String> = []
        do throws(ObjectStoreError) {
            let root = try openRoot()
            for project in try entries(of: root, path: self.root) where ObjectName.isComponent(project) {
                let directory: Descriptor
                do { directory = try openProject(project, in: root) } catch { continue }
                for entry in try entries(of: directory, path: path(project)) {
                    if ObjectName.isComponent(entry),
                        let container = try? Descriptor(
                            at: directory.number, entry, flags: O_RDONLY | O_DIRECTORY, action: "open",
                            path: path(project))
                    {
                        let names = try entries(of: container, path: path(project + "/" + entry))
                        found.formUnion(Self.objects(names, in: project + "/" + entry))
                    } else {
                        found.formUnion(Self.objects([entry], in: project))
                    }
                }
            }
        } catch  where error.code == .notFound {
            return []
        }
        return found.sorted()
    }

    package func location(_ name: String) -> String { "file://" + FileURL.encoded(root) + "/" + name }

    package func name(location: String) -> String? {
        let prefix = "file://" + FileURL.encoded(root) + "/"
        guard location.hasPrefix(prefix) else { return nil }
        return try? ObjectName(String(location.dropFirst(prefix.count))).text
    }
}

extension DirectoryObjectStore {
    private func path(_ name: String) -> String { root + "/" + name }

    /// The root itself may be a link the operator made.
    func openRoot() throws(ObjectStoreError) -> Descriptor {
        let number = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw ObjectStoreError(errno: errno, "open", path: root) }
        return Descriptor(owning: number)
    }

    func openProject(
        _ project: String, in root: borrowing Descriptor
    ) throws(ObjectStoreError) -> Descriptor {
        try Descriptor(
            at: root.number, project, flags: O_RDONLY | O_DIRECTORY, action: "open", path: path(project))
    }

    /// Names of the objects that files belong to, finished or not.
    private static func objects(_ files: [String], in directory: String) -> [String] {
        files.map { String($0.prefix { $0 != "~" }) }.filter(ObjectName.isComponent).map { directory + "/" + $0 }
    }

    /// The directory that the object lies in.
    private func openDirectory(
        of name: ObjectName, in root: borrowing Descriptor
    ) throws(ObjectStoreError) -> Descriptor {
        let project = try openProject(name.project, in: root)
        guard let container = name.container else { return project }
        return try Descriptor(
            at: project.number, container, flags: O_RDONLY | O_DIRECTORY, action: "open", path: path(name.directory))
    }

    private func makeDirectory(
        _ name: String, in parent: borrowing Descriptor, path: String
    ) throws(ObjectStoreError) {
        if mkdirat(parent.number, name, 0o700) == 0 {
            try parent.synchronize(path: path)
        } else if errno != EEXIST {
            throw ObjectStoreError(errno: errno, "make the directory", path: path + "/" + name)
        }
    }

    private func makeDirectories(to path: String) throws(ObjectStoreError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let number = errno
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        guard number == ENOENT, !parent.isEmpty else {
            throw ObjectStoreError(errno: number, "make the directory", path: path)
        }
        try makeDirectories(to: "/" + parent)
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw ObjectStoreError(errno: errno, "make the directory", path: path)
        }
    }

    private func removePartials(of name: ObjectName, in project: borrowing Descriptor) throws(ObjectStoreError) {
        for entry in try entries(of: project, path: path(name.directory)) where entry.hasPrefix(name.backup + "~") {
            if unlinkat(project.number, entry, 0) != 0, errno != ENOENT {
                throw ObjectStoreError(errno: errno, "delete", path: path(name.directory) + "/" + entry)
            }
        }
    }

    func entries(of directory: borrowing Descriptor, path: String) throws(ObjectStoreError) -> [String] {
        let copy = openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw ObjectStoreError(errno: errno, "list", path: path) }
        guard let stream = fdopendir(copy) else {
            let number = errno
            close(copy)
            throw ObjectStoreError(errno: number, "list", path: path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw ObjectStoreError(errno: errno, "list", path: path) }
        return names
    }
}
