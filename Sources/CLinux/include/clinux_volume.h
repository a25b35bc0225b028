/* SPDX-License-Identifier: Apache-2.0 */
/* Loop devices, mounts and whole-tree file work. Every function returns 0 or an errno, unless it says otherwise. */
#ifndef CLINUX_VOLUME_H
#define CLINUX_VOLUME_H
#include <stdint.h>

/* Attaches an open image to a free loop device, which detaches itself after its last use (umount, or close without a
   mount). *number is N of /dev/loopN; *loop_fd is the caller's to close, after mounting. A missing device node is made.
   Source: loop(4), LOOP_CTL_GET_FREE, LOOP_CONFIGURE, LO_FLAGS_AUTOCLEAR. */
int clinux_loop_attach(int32_t image_fd, const char *image_path, int32_t *number, int32_t *loop_fd);

/* Makes loop device `number` notice its image's new size. Source: loop(4), LOOP_SET_CAPACITY. */
int clinux_loop_refresh(int32_t number);

/* Detaches loop device `number`; one that has no image is success. Source: loop(4), LOOP_CLR_FD. */
int clinux_loop_detach(int32_t number);

/* Number of the loop device that is mounted at `path`; -1: nothing is mounted there; -2: something else is. */
int32_t clinux_mounted_loop(const char *path);

/* Mounts an XFS device noatime, nodev, nosuid, nouuid (copies of a template share their UUID). Source: mount(2), xfs(5). */
int clinux_mount_xfs(const char *device, const char *path);

/* Unmounts; lazy non-zero: takes the mount out of the tree now and lets its last user end it. Source: umount2(2). */
int clinux_unmount(const char *path, int32_t lazy);

/* Grows the mounted XFS file system at `path` to `bytes`, rounded down to blocks; never shrinks.
   Source: xfs ioctls XFS_IOC_FSGEOMETRY_V1 and XFS_IOC_FSGROWFSDATA (ioctl_xfs_fsgeometry(2)). */
int clinux_xfs_grow(const char *path, uint64_t bytes);

/* Makes `to` (empty) equal to `from`, sharing blocks where the file system can, else copying data and keeping holes.
   Source: ioctl_ficlone(2), copy_file_range(2), lseek(2) SEEK_DATA. */
int clinux_copy_file(int32_t from, int32_t to);

/* Copies directory `from` to `to`, which must not exist: directories, regular files, symbolic links, modes. */
int clinux_copy_tree(const char *from, const char *to);

/* Gives a directory and everything below to uid and gid, without following links or leaving the file system. */
int clinux_chown_tree(const char *path, uint32_t uid, uint32_t gid);

/* Removes a file or a directory with everything below; a missing one is success. Does not follow links or cross mounts. */
int clinux_remove_tree(const char *path);

/* Takes an exclusive advisory lock on an open file, waiting for it. Source: flock(2). */
int clinux_lock_file(int32_t fd);

/* Whether address:port can be listened on: 0, or the errno of bind(2) or listen(2). Address: IPv4 text. */
int clinux_probe_listen(const char *address, uint16_t port);

#endif
