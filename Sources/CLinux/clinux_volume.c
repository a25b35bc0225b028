/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clinux_volume.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { loop_major = 7, attach_attempts = 64 };

/* Layouts fixed by the kernel's ABI (fs/xfs/libxfs/xfs_fs.h), repeated here so that the build needs no xfs headers. */
typedef struct xfs_geometry_v1 {
  uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
  uint64_t datablocks, rtblocks, rtextents, logstart;
  unsigned char uuid[16];
  uint32_t sunit, swidth;
  int32_t version;
  uint32_t flags, logsectsize, rtsectsize, dirblocksize;
} xfs_geometry_v1;

typedef struct xfs_growth {
  uint64_t newblocks;
  uint32_t imaxpct;
} xfs_growth;

#define XFS_GEOMETRY_V1 _IOR('X', 100, xfs_geometry_v1)
#define XFS_GROW_DATA _IOW('X', 110, xfs_growth)

static int open_loop(int number, int flags) {
  char path[32];
  snprintf(path, sizeof path, "/dev/loop%d", number);
  int fd = open(path, flags | O_CLOEXEC);
  if (fd >= 0 || errno != ENOENT) return fd;
  /* No devtmpfs below /dev, as in many containers. */
  if (mknod(path, S_IFBLK | 0600, makedev(loop_major, (unsigned)number)) != 0 && errno != EEXIST) return -1;
  return open(path, flags | O_CLOEXEC);
}

static int open_control(void) {
  int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (fd >= 0 || errno != ENOENT) return fd;
  if (mknod("/dev/loop-control", S_IFCHR | 0600, makedev(10, 237)) != 0 && errno != EEXIST) return -1;
  return open("/dev/loop-control", O_RDWR | O_CLOEXEC);
}

/* Another process may take the free device between the two calls: EBUSY, and the next free one is asked for. */
static int attach_free(int control, int32_t image_fd, const char *image_path, int32_t *number, int32_t *loop_fd) {
  for (int attempt = 0; attempt < attach_attempts; attempt++) {
    int free_number = ioctl(control, LOOP_CTL_GET_FREE);
    if (free_number < 0) return errno;
    int fd = open_loop(free_number, O_RDWR);
    if (fd < 0) {
      if (errno == ENXIO || errno == EBUSY) continue;
      return errno;
    }
    struct loop_config config;
    memset(&config, 0, sizeof config);
    config.fd = (uint32_t)image_fd;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", image_path);
    if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
      *number = free_number;
      *loop_fd = fd;
      return 0;
    }
    int error = errno;
    close(fd);
    if (error != EBUSY && error != EAGAIN) return error;
    usleep(1000 * (unsigned)(attempt < 10 ? attempt : 10));
  }
  return EBUSY;
}

int clinux_loop_attach(int32_t image_fd, const char *image_path, int32_t *number, int32_t *loop_fd) {
  int control = open_control();
  if (control < 0) return errno;
  int error = attach_free(control, image_fd, image_path, number, loop_fd);
  close(control);
  return error;
}

static int loop_request(int32_t number, unsigned long request) {
  int fd = open_loop(number, O_RDWR);
  if (fd < 0) return errno;
  int error = ioctl(fd, request, 0) == 0 ? 0 : errno;
  close(fd);
  return error;
}

int clinux_loop_refresh(int32_t number) { return loop_request(number, LOOP_SET_CAPACITY); }

int clinux_loop_detach(int32_t number) {
  int error = loop_request(number, LOOP_CLR_FD);
  return error == ENXIO ? 0 : error;
}

int32_t clinux_mounted_loop(const char *path) {
  struct stat own, parent;
  char above[4096];
  if (snprintf(above, sizeof above, "%s/..", path) >= (int)sizeof above) return -1;
  if (stat(path, &own) != 0 || stat(above, &parent) != 0) return -1;
  if (own.st_dev == parent.st_dev) return -1;
  return major(own.st_dev) == loop_major ? (int32_t)minor(own.st_dev) : -2;
}

int clinux_mount_xfs(const char *device, const char *path) {
  return mount(device, path, "xfs", MS_NOATIME | MS_NODEV | MS_NOSUID, "nouuid") == 0 ? 0 : errno;
}

int clinux_unmount(const char *path, int32_t lazy) {
  return umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0 ? 0 : errno;
}

int clinux_xfs_grow(const char *path, uint64_t bytes) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  xfs_geometry_v1 geometry;
  int error = 0;
  if (ioctl(fd, XFS_GEOMETRY_V1, &geometry) != 0) {
    error = errno;
  } else {
    xfs_growth growth = {.newblocks = bytes / geometry.blocksize, .imaxpct = geometry.imaxpct};
    if (growth.newblocks > geometry.datablocks && ioctl(fd, XFS_GROW_DATA, &growth) != 0) error = errno;
  }
  close(fd);
  return error;
}

int clinux_lock_file(int32_t fd) {
  while (flock(fd, LOCK_EX) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

int clinux_probe_listen(const char *address, uint16_t port) {
  struct sockaddr_in name;
  memset(&name, 0, sizeof name);
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (inet_pton(AF_INET, address, &name.sin_addr) != 1) return EINVAL;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int on = 1, error = 0;
  /* Connections of an earlier owner that are still in TIME_WAIT do not count as in use; a listener does. */
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || listen(fd, 1) != 0)
    error = errno;
  close(fd);
  return error;
}
