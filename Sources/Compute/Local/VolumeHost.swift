// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Logging
import Model

/// Images, loop devices and mounts of one host.
struct VolumeHost: Sendable {
    /// Size of a template's image: the smallest volume, so that this needs no growth. Sparse.
    static let templateBytes: UInt64 = 1 << 30

    /// End of the names of an image and a mount that serve to see what the host can.
    static let probeSuffix = "-probe"

    let paths: LocalPaths
    /// Whether volumes are mounted images here; else they are plain directories.
    let hasImages: Bool
    private let formatter: String
    private let killTimeout: Duration

    init(paths: LocalPaths, configuration: LocalComputeConfiguration) {
        self.paths = paths
        killTimeout = configuration.killTimeout
        formatter = ["/usr/sbin/mkfs.xfs", "/sbin/mkfs.xfs", "/usr/bin/mkfs.xfs"].first { access($0, X_OK) == 0 } ?? ""
        guard configuration.isPrivileged else {
            hasImages = false
            return
        }
        let reason = Self.probe(paths, formatter)
        hasImages = reason == nil
        if let reason {
            configuration.logger.warning(
                "volumes are plain directories without a size limit", metadata: ["error.message": "\(reason)"])
        }
    }

    /// Makes, mounts and grows a file system once. Nil when the host can, else why it cannot.
    private static func probe(_ paths: LocalPaths, _ formatter: String) -> String? {
        guard !formatter.isEmpty else { return "mkfs.xfs is not installed; install xfsprogs" }
        let image = "\(paths.trash)/\(ProcessMark.own)\(probeSuffix)"
        let directory = "\(paths.homeRun)/\(ProcessMark.own)\(probeSuffix)"
        defer {
            clinux_unmount(directory, 1)
            rmdir(directory)
            unlink(image)
        }
        do throws(ComputeError) {
            try HostFiles.makeDirectory(directory, mode: 0o700)
            try format(formatter, image, bytes: 320 << 20)
            guard truncate(image, 640 << 20) == 0 else { throw HostFiles.failure("extend", image, errno) }
            try attachAndMount(image, directory)
            try grow(directory, to: 640 << 20)
            return nil
        } catch {
            return error.message
        }
    }

    // MARK: Images

    /// Makes `image` an empty file system of `bytes`; its name appears only when it is complete.
    ///
    /// Every try has a file of its own: the formatter of a process that was killed may still be writing to its one.
    func format(_ image: String, bytes: UInt64) throws(ComputeError) {
        try Self.format(formatter, image, bytes: bytes)
    }

    private static func format(_ formatter: String, _ image: String, bytes: UInt64) throws(ComputeError) {
        let partial = "\(image).\(SystemRandomSource().bytes(6).hex).partial"
        let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HostFiles.failure("create", partial, errno) }
        let isSized = ftruncate(descriptor, off_t(bytes)) == 0
        let error = errno
        Glibc.close(descriptor)
        guard isSized else { throw HostFiles.failure("extend", partial, error) }
        // Few allocation groups: each one is written when a copy grows.
        let layout = bytes <= templateBytes ? ["-d", "agcount=2"] : []
        do throws(ComputeError) {
            try ProcessLaunch.run([formatter, "-q", "-f", "-K"] + layout + [partial], timeout: .seconds(60))
        } catch {
            unlink(partial)
            throw error
        }
        try HostFiles.move(partial, image)
    }

    /// Makes `copy` a copy of an image and extends it; its name appears only when it is complete.
    func copy(_ image: String, to copy: String, bytes: UInt64, isSynced: Bool) throws(ComputeError) {
        let from = open(image, O_RDONLY | O_CLOEXEC)
        guard from >= 0 else { throw HostFiles.failure("open", image, errno) }
        defer { Glibc.close(from) }
        let partial = copy + ".partial"
        let to = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard to >= 0 else { throw HostFiles.failure("create", partial, errno) }
        defer { Glibc.close(to) }
        var error = clinux_copy_file(from, to)
        if error == 0, ftruncate(to, off_t(bytes)) != 0 { error = errno }
        if error == 0, isSynced, fsync(to) != 0 { error = errno }
        guard error == 0 else {
            unlink(partial)
            throw HostFiles.failure("copy \(image) to", partial, error)
        }
        try HostFiles.move(partial, copy)
    }

    // MARK: Mounts

    /// Makes sure that `image` is mounted at `directory`; a loop device that it has already is used again.
    func mount(_ image: String, at directory: String) throws(ComputeError) {
        let mounted = clinux_mounted_loop(directory)
        if mounted >= 0, LoopTable.image(of: mounted) == image { return }
        guard mounted == -1 else {
            throw ComputeError(.failed, "something else than \(image) is mounted at \(directory); unmount it")
        }
        if let stale = LoopTable.all(where: { $0 == image }).first {
            let error = clinux_mount_xfs("/dev/loop\(stale.number)", directory)
            guard error == 0 else { throw HostFiles.failure("mount /dev/loop\(stale.number) at", directory, error) }
        } else {
            try Self.attachAndMount(image, directory)
        }
    }

    /// For an image that cannot have a loop device yet.
    func mountNew(_ image: String, at directory: String) throws(ComputeError) {
        try Self.attachAndMount(image, directory)
    }

    /// The loop device detaches itself with its last user, so a crash between attaching and mounting leaves none.
    private static func attachAndMount(_ image: String, _ directory: String) throws(ComputeError) {
        let descriptor = open(image, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw HostFiles.failure("open", image, errno) }
        defer { Glibc.close(descriptor) }
        var number: Int32 = -1
        var loop: Int32 = -1
        var error = clinux_loop_attach(descriptor, image, &number, &loop)
        guard error == 0 else { throw HostFiles.failure("attach a loop device to", image, error) }
        defer { Glibc.close(loop) }
        error = clinux_mount_xfs("/dev/loop\(number)", directory)
        guard error == 0 else { throw HostFiles.failure("mount \(image) at", directory, error) }
    }

    /// Grows a mounted file system to its image's size, and believes only what statvfs says afterwards.
    func grow(_ directory: String, to bytes: UInt64) throws(ComputeError) { try Self.grow(directory, to: bytes) }

    private static func grow(_ directory: String, to bytes: UInt64) throws(ComputeError) {
        let number = clinux_mounted_loop(directory)
        guard number >= 0 else { throw ComputeError(.failed, "no image is mounted at \(directory)") }
        if let text = HostFiles.readText("/sys/block/loop\(number)/size"), let sectors = UInt64(text),
            sectors << 9 < bytes
        {
            let error = clinux_loop_refresh(number)
            guard error == 0 else { throw HostFiles.failure("extend", "/dev/loop\(number)", error) }
        }
        let error = clinux_xfs_grow(directory, bytes)
        guard error == 0 else { throw HostFiles.failure("grow the file system at", directory, error) }
        var info = statvfs()
        guard statvfs(directory, &info) == 0 else { throw HostFiles.failure("look at", directory, errno) }
        // The log and the last, incomplete group are no data blocks: 64 MiB and less than one part in ten.
        let size = UInt64(info.f_blocks) * UInt64(info.f_frsize)
        guard size + (96 << 20) >= bytes / 10 * 9 else {
            throw ComputeError(
                .failed, "the file system at \(directory) has \(size >> 20) MiB after growing to \(bytes >> 20) MiB")
        }
    }

    /// Unmounts `directory` and waits until `image` has no loop device any more.
    func unmount(_ image: String, at directory: String) throws(ComputeError) {
        let number = clinux_mounted_loop(directory)
        if number != -1 { try unmount(directory) }
        let loops = number >= 0 ? [number] : LoopTable.all { $0 == image }.map(\.number)
        for loop in loops {
            let isDetached = poll(for: killTimeout) {
                guard LoopTable.image(of: loop) == image else { return true }
                _ = clinux_loop_detach(loop)
                return LoopTable.image(of: loop) != image
            }
            guard isDetached else {
                throw ComputeError(.timedOut, "/dev/loop\(loop) still holds \(image)", isRetryable: true)
            }
        }
    }

    private func unmount(_ directory: String) throws(ComputeError) {
        var error: Int32 = 0
        let isDone = poll(for: killTimeout) {
            error = clinux_unmount(directory, 0)
            // Several mounts may lie on each other after a repeat that somebody else caused.
            return error != EBUSY && (error != 0 || clinux_mounted_loop(directory) == -1)
        }
        if !isDone { error = clinux_unmount(directory, 1) }
        guard error == 0 || error == EINVAL || error == ENOENT else {
            throw HostFiles.failure("unmount", directory, error)
        }
    }
}
