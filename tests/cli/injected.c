// Fails the n-th call that changes what is under a folder. INJECT_FOLDER names the folder, INJECT_AT is n, INJECT_LOG is a file that gets a line
// for every such call counted. INJECT_AS=once fails that call alone, with EIO; INJECT_AS=full fails it and all later ones that take room, with
// ENOSPC, after half of the bytes of the first, as a full disk does. With INJECT_NAME only calls count whose path holds it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[4096];
static size_t length;
static const char *only;
static long at;
static int full, report = -1;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("INJECT_FOLDER");
  if (!text) return;
  length = strlen(text);
  if (length >= sizeof folder) abort();
  memcpy(folder, text, length + 1);
  at = atol(getenv("INJECT_AT"));
  only = getenv("INJECT_NAME");
  full = strcmp(getenv("INJECT_AS"), "full") == 0;
  report = open(getenv("INJECT_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (report < 0) abort();
}

static int inside(const char *path) {
  if (!length || strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != 0)) return 0;
  return !only || strstr(path, only);
}

static int name_of(int fd, char *out, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long n = syscall(SYS_readlink, link, out, size - 1);
  if (n < 0) return 0;
  out[n] = 0;
  return 1;
}

static void name_at(int dir, const char *path, char *out, size_t size) {
  char start[4096] = "";
  char *rest;
  if (strncmp(path, "/proc/self/fd/", 14) == 0 && (dir = strtol(path + 14, &rest, 10)) >= 0 && *rest == '/') path = rest + 1;
  if (path[0] != '/' && dir == AT_FDCWD) {
    if (!getcwd(start, sizeof start)) start[0] = 0;
  } else if (path[0] != '/') {
    name_of(dir, start, sizeof start);
  }
  snprintf(out, size, "%s%s%s", start, start[0] ? "/" : "", path);
}

// 0: go on; 1: fail with errno set; 2: write half of it.
static int fate(const char *call, const char *path, int takes_room) {
  if (!inside(path)) return 0;
  long n = atomic_fetch_add(&calls, 1) + 1;
  int hit = full ? at && n >= at && takes_room : n == at;
  char line[4400];
  int size = snprintf(line, sizeof line, "%s%s %s\n", hit ? "FAILED " : "", call, path);
  syscall(SYS_write, report, line, size);
  if (!hit) return 0;
  errno = full ? ENOSPC : EIO;
  return full && n == at ? 2 : 1;
}

static int fate_of(const char *call, int fd, int takes_room) {
  char path[4096];
  int kept = errno;
  int answer = length && name_of(fd, path, sizeof path) ? fate(call, path, takes_room) : 0;
  if (!answer) errno = kept;
  return answer;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t n) {
  int f = fate_of("write", fd, 1);
  if (f == 2 && n > 1) return syscall(SYS_write, fd, bytes, n / 2);
  return f ? -1 : syscall(SYS_write, fd, bytes, n);
}

static ssize_t put(int fd, const void *bytes, size_t n, off64_t offset) {
  int f = fate_of("pwrite", fd, 1);
  if (f == 2 && n > 1) return syscall(SYS_pwrite64, fd, bytes, n / 2, offset);
  return f ? -1 : syscall(SYS_pwrite64, fd, bytes, n, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset) { return put(fd, bytes, n, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t offset) { return put(fd, bytes, n, offset); }

ssize_t writev(int fd, const struct iovec *list, int n) { return fate_of("writev", fd, 1) ? -1 : REAL(writev)(fd, list, n); }

ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t n, unsigned flags) {
  return fate_of("copy_file_range", to, 1) ? -1 : REAL(copy_file_range)(from, a, to, b, n, flags);
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t n) {
  return fate_of("sendfile", to, 1) ? -1 : syscall(SYS_sendfile, to, from, offset, n);
}

static int cut(int fd, off64_t size) {
  struct stat now;
  int grows = fstat(fd, &now) == 0 && size > now.st_size;
  return fate_of("ftruncate", fd, grows) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size); }

int fsync(int fd) { return fate_of("fsync", fd, 0) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return fate_of("fdatasync", fd, 0) ? -1 : (int)syscall(SYS_fdatasync, fd); }

// The descriptor is gone all the same, as on Linux.
int close(int fd) {
  int writes = fd != report && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
  int f = writes ? fate_of("close", fd, 0) : 0;
  int kept = errno, closed = (int)syscall(SYS_close, fd);
  if (!f) return closed;
  errno = kept;
  return -1;
}

static int moved(const char *call, int to_dir, const char *to) {
  char path[8192];
  name_at(to_dir, to, path, sizeof path);
  return fate(call, path, 0);
}
int rename(const char *from, const char *to) { return moved("rename", AT_FDCWD, to) ? -1 : REAL(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) { return moved("rename", b, to) ? -1 : REAL(renameat)(a, from, b, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
  return moved("rename", b, to) ? -1 : (int)syscall(SYS_renameat2, a, from, b, to, flags);
}
int linkat(int a, const char *from, int b, const char *to, int flags) { return moved("link", b, to) ? -1 : REAL(linkat)(a, from, b, to, flags); }

static int made(int dir, const char *name, mode_t mode) {
  char path[8192];
  name_at(dir, name, path, sizeof path);
  return fate("mkdir", path, 1) ? -1 : (int)syscall(SYS_mkdirat, dir, name, mode);
}
int mkdir(const char *name, mode_t mode) { return made(AT_FDCWD, name, mode); }
int mkdirat(int dir, const char *name, mode_t mode) { return made(dir, name, mode); }

static int opened(int dir, const char *name, int flags, mode_t mode) {
  char path[8192];
  if (flags & O_CREAT) {
    name_at(dir, name, path, sizeof path);
    int is_new = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    if (is_new && fate("create", path, 1)) return -1;
  }
  return (int)syscall(SYS_openat, dir, name, flags | O_LARGEFILE, mode);
}
#define OPENS(function, head, dir) \
  int function(head const char *name, int flags, ...) { \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
      va_list rest; \
      va_start(rest, flags); \
      mode = va_arg(rest, mode_t); \
      va_end(rest); \
    } \
    return opened(dir, name, flags, mode); \
  }
#define AND ,
OPENS(open, , AT_FDCWD)
OPENS(open64, , AT_FDCWD)
OPENS(openat, int from AND, from)
OPENS(openat64, int from AND, from)
