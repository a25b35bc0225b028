/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clinux_volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { maximum_depth = 128, buffer_bytes = 1 << 18 };

static int copy_by_buffer(int from, int to, off_t offset, off_t end) {
  char *buffer = malloc(buffer_bytes);
  if (buffer == NULL) return ENOMEM;
  int error = 0;
  while (error == 0 && offset < end) {
    size_t want = end - offset < buffer_bytes ? (size_t)(end - offset) : (size_t)buffer_bytes;
    ssize_t got = pread(from, buffer, want, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got == 0) break; /* the file became shorter */
    for (ssize_t done = 0; error == 0 && done < got;) {
      ssize_t put = pwrite(to, buffer + done, (size_t)(got - done), offset + done);
      if (put < 0 && errno != EINTR) error = errno;
      if (put > 0) done += put;
    }
    if (got > 0) offset += got;
  }
  free(buffer);
  return error;
}

static int copy_extent(int from, int to, off_t offset, off_t end) {
  while (offset < end) {
    off_t source = offset, target = offset;
    ssize_t copied = copy_file_range(from, &source, to, &target, (size_t)(end - offset), 0);
    if (copied > 0) {
      offset += copied;
    } else if (copied == 0) {
      return copy_by_buffer(from, to, offset, end);
    } else if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) {
      return copy_by_buffer(from, to, offset, end);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int clinux_copy_file(int32_t from, int32_t to) {
  struct stat info;
  if (fstat(from, &info) != 0) return errno;
  if (ioctl(to, FICLONE, from) == 0) return 0;
  if (ftruncate(to, info.st_size) != 0) return errno;
  off_t position = 0;
  while (position < info.st_size) {
    off_t data = lseek(from, position, SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) return 0; /* a hole up to the end */
      if (errno != EINVAL) return errno;
      return copy_extent(from, to, position, info.st_size);
    }
    off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) return errno;
    int error = copy_extent(from, to, data, hole);
    if (error != 0) return error;
    position = hole;
  }
  return 0;
}

static int copy_regular(int from_dir, int to_dir, const char *name, mode_t mode) {
  int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0) return errno;
  int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int error = to < 0 ? errno : clinux_copy_file(from, to);
  if (error == 0 && fchmod(to, mode & 07777) != 0) error = errno;
  if (to >= 0 && close(to) != 0 && error == 0) error = errno;
  close(from);
  return error;
}

static int copy_link(int from_dir, int to_dir, const char *name) {
  char target[4096];
  ssize_t length = readlinkat(from_dir, name, target, sizeof target - 1);
  if (length < 0) return errno;
  target[length] = 0;
  return symlinkat(target, to_dir, name) == 0 ? 0 : errno;
}

/* What to do with each entry below a directory; `directory` is open, `name` relative to it. */
typedef int (*visitor)(int directory, const char *name, const struct stat *info, int depth, void *context);

static int visit_entries(int directory, int depth, visitor visit, void *context) {
  if (depth > maximum_depth) return ELOOP;
  int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return errno;
  DIR *stream = fdopendir(own);
  if (stream == NULL) {
    int error = errno;
    close(own);
    return error;
  }
  int error = 0;
  while (error == 0) {
    errno = 0;
    struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      error = errno;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat info;
    if (fstatat(directory, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) error = errno;
      continue;
    }
    error = visit(directory, entry->d_name, &info, depth, context);
  }
  closedir(stream);
  return error;
}

static int open_directory(int directory, const char *name) {
  return openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int copy_entry(int directory, const char *name, const struct stat *info, int depth, void *context) {
  int target = *(int *)context;
  if (S_ISREG(info->st_mode)) return copy_regular(directory, target, name, info->st_mode);
  if (S_ISLNK(info->st_mode)) return copy_link(directory, target, name);
  if (!S_ISDIR(info->st_mode)) return 0; /* sockets and pipes belong to the process that made them */
  if (mkdirat(target, name, 0700) != 0) return errno;
  int from = open_directory(directory, name);
  if (from < 0) return errno;
  int to = open_directory(target, name);
  int error = to < 0 ? errno : visit_entries(from, depth + 1, copy_entry, &to);
  if (error == 0 && fchmod(to, info->st_mode & 07777) != 0) error = errno;
  if (to >= 0) close(to);
  close(from);
  return error;
}

int clinux_copy_tree(const char *from, const char *to) {
  int source = open_directory(AT_FDCWD, from);
  if (source < 0) return errno;
  struct stat info;
  int target = -1, error = 0;
  if (fstat(source, &info) != 0 || mkdir(to, 0700) != 0) error = errno;
  if (error == 0) target = open_directory(AT_FDCWD, to);
  if (error == 0 && target < 0) error = errno;
  if (error == 0) error = visit_entries(source, 0, copy_entry, &target);
  if (error == 0 && fchmod(target, info.st_mode & 07777) != 0) error = errno;
  if (target >= 0) close(target);
  close(source);
  return error;
}

typedef struct ownership {
  uint32_t uid, gid;
  dev_t device;
} ownership;

static int chown_entry(int directory, const char *name, const struct stat *info, int depth, void *context) {
  const ownership *owner = context;
  if (info->st_dev != owner->device) return 0;
  if ((info->st_uid != owner->uid || info->st_gid != owner->gid) &&
      fchownat(directory, name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) != 0)
    return errno;
  if (!S_ISDIR(info->st_mode)) return 0;
  int inner = open_directory(directory, name);
  if (inner < 0) return errno;
  int error = visit_entries(inner, depth + 1, chown_entry, context);
  close(inner);
  return error;
}

int clinux_chown_tree(const char *path, uint32_t uid, uint32_t gid) {
  int directory = open_directory(AT_FDCWD, path);
  if (directory < 0) return errno;
  struct stat info;
  int error = fstat(directory, &info) == 0 ? 0 : errno;
  ownership owner = {.uid = uid, .gid = gid, .device = info.st_dev};
  if (error == 0) error = visit_entries(directory, 0, chown_entry, &owner);
  if (error == 0 && fchown(directory, uid, gid) != 0) error = errno;
  close(directory);
  return error;
}

static int remove_entry(int directory, const char *name, const struct stat *info, int depth, void *context) {
  dev_t device = *(dev_t *)context;
  if (info->st_dev != device) return EBUSY; /* something is mounted there: never empty a mounted volume */
  if (S_ISDIR(info->st_mode)) {
    int inner = open_directory(directory, name);
    if (inner < 0) return errno == ENOENT ? 0 : errno;
    int error = visit_entries(inner, depth + 1, remove_entry, context);
    close(inner);
    if (error != 0) return error;
  }
  if (unlinkat(directory, name, S_ISDIR(info->st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) return errno;
  return 0;
}

int clinux_remove_tree(const char *path) {
  struct stat info;
  if (lstat(path, &info) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISDIR(info.st_mode)) return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
  int directory = open_directory(AT_FDCWD, path);
  if (directory < 0) return errno == ENOENT ? 0 : errno;
  int error = visit_entries(directory, 0, remove_entry, &info.st_dev);
  close(directory);
  if (error != 0) return error;
  return rmdir(path) == 0 || errno == ENOENT ? 0 : errno;
}
