// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import Model
import Synchronization

/// Templates that are finished: their spare copies, and the removal of old ones.
extension LocalCompute {
    /// Makes a spare image the instance's own. False when there is none.
    func takeSpare(_ key: String, for image: String) -> Bool {
        (0..<max(0, configuration.spareImages)).contains { rename(paths.spare(key, $0), image) == 0 }
    }

    /// Makes missing spare images while nobody waits: they are on disk already when an instance takes one.
    ///
    /// Writing one out would slow the new instance that comes up on the same disk, so it waits for a pause, unless there
    /// is no spare left.
    func refillSpares(_ key: String) {
        guard volumes.hasImages, configuration.spareImages > 0 else { return }
        spares.start {
            // Another process that is at it sees what is missing.
            guard self.missingSpare(key) != nil, let lock = try? FileLock.attempt(self.paths.spareLock(key)) else {
                return
            }
            defer { lock.release() }
            while let number = self.missingSpare(key) {
                let hasSpare = (0..<self.configuration.spareImages).contains {
                    HostFiles.exists(self.paths.spare(key, $0))
                }
                guard self.spares.waitForPause(isUrgent: !hasSpare) else { return }
                do throws(ComputeError) {
                    guard try self.makeSpare(key, number) else { return }
                } catch {
                    self.configuration.logger.info(
                        "cannot make a spare image", metadata: ["error.message": "\(error.message)"])
                    return
                }
            }
        }
    }

    private func missingSpare(_ key: String) -> Int? {
        (0..<configuration.spareImages).first { !HostFiles.exists(paths.spare(key, $0)) }
    }

    /// False when the template is gone.
    private func makeSpare(_ key: String, _ number: Int) throws(ComputeError) -> Bool {
        let template = paths.templateImage(key)
        guard HostFiles.exists(template) else { return false }
        let spare = paths.spare(key, number)
        try volumes.copy(template, to: spare, bytes: VolumeHost.templateBytes, isSynced: true)
        guard !HostFiles.exists(template) else { return true }
        try HostFiles.removeFile(spare)
        return false
    }

    /// Says that this process creates instances of the datastore version from this template, and no more from another one.
    func noteUse(_ request: TemplateRequest) throws(ComputeError) {
        let version = "\(request.datastoreName) \(request.versionName)"
        guard uses.withLock({ $0[version]?.key }) != request.key else { return }
        let lock = try FileLock.take(
            paths.templateUseLock(request.key), .shared, within: configuration.lockTimeout, "the template of \(version)"
        )
        let old = uses.withLock { $0.updateValue((request.key, lock), forKey: version) }
        old?.lock.release()
    }

    /// Removes the templates that the same datastore version had under other keys.
    func removeOldTemplates(_ request: TemplateRequest) {
        for key in templateKeys() where key != request.key {
            let record = HostFiles.readJSON(paths.templateRecord(key))
            guard record?["datastore"]?.stringValue == request.datastoreName,
                record?["version"]?.stringValue == request.versionName,
                !builds.withLock({ $0[key] != nil })
            else { continue }
            removeUnused(key)
        }
    }

    /// Keys of finished templates.
    func templateKeys() -> [String] {
        HostFiles.list(paths.templates).compactMap { name in
            name.hasSuffix(".json") && !name.hasPrefix(".") ? String(name.dropLast(5)) : nil
        }
    }

    /// Removes a template unless another process creates from it (an older release beside this one), or makes or removes it.
    private func removeUnused(_ key: String) {
        guard let use = try? FileLock.attempt(paths.templateUseLock(key)) else { return }
        defer { use.release() }
        guard let lock = try? FileLock.attempt(paths.templateLock(key)) else { return }
        defer { lock.release() }
        removeTemplate(key)
        for path in [paths.templateUseLock(key), paths.templateLock(key)] { unlink(path) }
        removeLock("spares@\(key)")
    }

    /// The template itself goes first, so that no spare is made of it afterwards; its record last, so that a repeat finds it.
    private func removeTemplate(_ key: String) {
        var removed = [paths.templateImage(key), paths.templateTree(key), paths.templateLog(key)]
        removed += HostFiles.list(paths.templates).filter { $0.hasPrefix("\(key).spare") }
            .map { "\(paths.templates)/\($0)" }
        do throws(ComputeError) {
            for path in removed where HostFiles.exists(path) {
                let trash = trashName()
                try HostFiles.move(path, trash)
                removeInBackground(trash)
            }
            try HostFiles.removeFile(paths.templateRecord(key))
        } catch {
            configuration.logger.warning(
                "cannot remove an old template", metadata: ["error.message": "\(error.message)"])
        }
    }

    /// Removes what builds and copies left that were cut short, as far as nobody works on the template.
    func sweepTemplates() {
        for name in HostFiles.list(paths.templates) {
            let isBuild = name.hasPrefix(Self.buildDirectoryPrefix)
            guard isBuild || name.hasSuffix(".partial") || name.hasSuffix(".new") else { continue }
            let key =
                isBuild
                ? String(name.dropFirst(Self.buildDirectoryPrefix.count)) : name.prefix { $0 != "." }.description
            guard let lock = try? FileLock.attempt(paths.templateLock(key)) else { continue }
            defer { lock.release() }
            guard !isBuild else {
                do throws(ComputeError) {
                    try sweepBuild(key)
                } catch {
                    configuration.logger.warning(
                        "cannot remove an unfinished template", metadata: ["error.message": "\(error.message)"])
                }
                continue
            }
            guard let lock = try? FileLock.attempt(paths.spareLock(key)) else { continue }
            unlink("\(paths.templates)/\(name)")
            lock.release()
        }
    }

    static let buildDirectoryPrefix = ".build-"

    /// Keys of templates that some process of the host is making now.
    func keysInTheMaking() -> [String] {
        HostFiles.list(paths.templates).filter { $0.hasPrefix(Self.buildDirectoryPrefix) }
            .map { String($0.dropFirst(Self.buildDirectoryPrefix.count)) }
            .filter { FileLock.isHeld(paths.templateLock($0)) }
    }
}
