/* A preloaded library that lets the disk fail, or kills the process, at a chosen call.

   Counts the calls that change what is below one folder and acts at the Nth that fits. Settings are
   environment variables, read when the process starts and again by fault_arm():

     FAULT_FOLDER  absolute path; calls on paths outside it are passed on uncounted
     FAULT_CALLS   names of calls, comma separated (write open fsync rename unlink rmdir mkdir
                   truncate chmod flock close openread), or "*" for all but the last three
     FAULT_PATH    pattern (fnmatch) of the path relative to the folder
     FAULT_NTH     which of the fitting calls is met, from 1; 0: none (the trace goes on)
     FAULT_ACTION  kill: SIGKILL before the call; kill-after; kill-short: half the write, SIGKILL;
                   error: the call fails; error-short: half a write, then failures;
                   leave: _exit(3) before the call
     FAULT_ERRNO   number of the error
     FAULT_TIMES   how many fitting calls fail in a row; 0: all from the Nth on
     FAULT_TRACE   file outside the folder that gets a line "CALL PATH" for every fitting call
     FAULT_ALL     1: child processes too, each with a count of its own; else they are left alone

   What a process has written outlives its death, synced or not: fsync is counted and may fail, but
   does not wait for the disk, which makes the tests several times faster.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX], calls[256], pattern[256];
static enum { NOTHING, KILL, KILL_AFTER, KILL_SHORT, ERROR, ERROR_SHORT, LEAVE } action;
static long nth, times, count;
static int number, armed, trace = -1;

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

void fault_arm(void) {
  static const char *names[] = {"nothing",    "kill",  "kill-after", "kill-short",
                                "error", "error-short", "leave"};
  armed = 0;
  snprintf(folder, sizeof folder, "%s", setting("FAULT_FOLDER", ""));
  snprintf(calls, sizeof calls, ",%s,", setting("FAULT_CALLS", "*"));
  snprintf(pattern, sizeof pattern, "%s", setting("FAULT_PATH", "*"));
  nth = atol(setting("FAULT_NTH", "0"));
  times = atol(setting("FAULT_TIMES", "0"));
  number = atoi(setting("FAULT_ERRNO", "5"));
  action = NOTHING;
  for (int i = 0; i < 7; i++)
    if (!strcmp(setting("FAULT_ACTION", "nothing"), names[i])) action = i;
  count = 0;
  if (trace >= 0) syscall(SYS_close, trace);
  const char *file = getenv("FAULT_TRACE");
  trace = file && *file ? syscall(SYS_openat, AT_FDCWD, file,
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)
                        : -1;
  armed = *folder != 0;
}

__attribute__((constructor)) static void start(void) {
  char own[32];
  snprintf(own, sizeof own, "%d", getpid());
  const char *chosen = getenv("FAULT_PID");
  if (!chosen) setenv("FAULT_PID", own, 1);
  if (!chosen || !strcmp(chosen, own) || !strcmp(setting("FAULT_ALL", "0"), "1")) fault_arm();
}

/* The absolute path of a name that the process gave, links in it unresolved. */
static int absolute(int at, const char *name, char *path) {
  if (!name) return 0;
  if (name[0] == '/') return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
  char link[64], base[PATH_MAX];
  snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
  ssize_t length = readlink(link, base, sizeof base - 1);
  if (length < 0) return 0;
  base[length] = 0;
  return snprintf(path, PATH_MAX, "%s/%s", base, name) < PATH_MAX;
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length >= 0) path[length] = 0;
  return length >= 0;
}

static int wanted(const char *call) {
  char word[32];
  snprintf(word, sizeof word, ",%s,", call);
  if (strstr(calls, word)) return 1;
  if (!strcmp(call, "flock") || !strcmp(call, "close") || !strcmp(call, "openread")) return 0;
  return strstr(calls, ",*,") != NULL;
}

/* How many calls came before this one, if it fits; -1 if it does not. */
static long fits(const char *call, const char *path) {
  size_t length = strlen(folder);
  if (strncmp(path, folder, length) || (path[length] && path[length] != '/')) return -1;
  const char *relative = path[length] ? path + length + 1 : ".";
  if (!wanted(call) || fnmatch(pattern, relative, 0)) return -1;
  if (trace >= 0) {
    char line[PATH_MAX + 64];
    int size = snprintf(line, sizeof line, "%s %s\n", call, relative);
    syscall(SYS_write, trace, line, size);
  }
  return __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* What is to happen to this call: NOTHING: carry it out. Kills and leaves at once if that is due. */
static int fate(const char *call, const char *path) {
  long here = fits(call, path);
  if (here < 0 || !nth || here < nth) return NOTHING;
  if (action == ERROR_SHORT) {
    if (here == nth) return ERROR_SHORT;
    if (!times || here < nth + times) return errno = number, ERROR;
    return NOTHING;
  }
  if (action == ERROR && (!times || here < nth + times)) return errno = number, ERROR;
  if (here > nth) return NOTHING;
  if (action == LEAVE) _exit(3);
  if (action == KILL) die();
  return action;
}

static int fate_at(const char *call, int at, const char *name) {
  char path[PATH_MAX];
  return armed && absolute(at, name, path) ? fate(call, path) : NOTHING;
}

static int fate_of(const char *call, int fd) {
  char path[PATH_MAX];
  return armed && path_of(fd, path) ? fate(call, path) : NOTHING;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FINISH(due, call)                                      \
  do {                                                         \
    if (due == ERROR) return -1;                               \
    __typeof__(call) result = call;                            \
    if (due == KILL_AFTER || due == KILL_SHORT) die();         \
    return result;                                             \
  } while (0)

ssize_t write(int fd, const void *data, size_t size) {
  int due = fate_of("write", fd);
  if ((due == KILL_SHORT || due == ERROR_SHORT) && size > 1) size /= 2;
  FINISH(due, syscall(SYS_write, fd, data, size));
}

ssize_t writev(int fd, const struct iovec *parts, int number_of_parts) {
  int due = fate_of("write", fd);
  FINISH(due, syscall(SYS_writev, fd, parts, number_of_parts));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  int due = fate_of("write", fd);
  if ((due == KILL_SHORT || due == ERROR_SHORT) && size > 1) size /= 2;
  FINISH(due, syscall(SYS_pwrite64, fd, data, size, offset));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}

static int open_at(int at, const char *name, int flags, mode_t mode) {
  int writes = flags & (O_WRONLY | O_RDWR | O_CREAT);
  int due = fate_at(writes ? "open" : "openread", at, name);
  FINISH(due, (int)syscall(SYS_openat, at, name, flags, mode));
}

#define MODE(flags)                                                        \
  mode_t mode = 0;                                                         \
  if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {               \
    va_list more;                                                          \
    va_start(more, flags);                                                 \
    mode = va_arg(more, mode_t);                                           \
    va_end(more);                                                          \
  }

int open(const char *name, int flags, ...) {
  MODE(flags)
  return open_at(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) {
  MODE(flags)
  return open_at(AT_FDCWD, name, flags, mode);
}

int openat(int at, const char *name, int flags, ...) {
  MODE(flags)
  return open_at(at, name, flags, mode);
}

int openat64(int at, const char *name, int flags, ...) {
  MODE(flags)
  return open_at(at, name, flags, mode);
}

int fsync(int fd) {
  int due = fate_of("fsync", fd);
  FINISH(due, armed ? 0 : (int)syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
  int due = fate_of("fsync", fd);
  FINISH(due, armed ? 0 : (int)syscall(SYS_fdatasync, fd));
}

int rename(const char *from, const char *to) {
  int due = fate_at("rename", AT_FDCWD, to);
  FINISH(due, (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
  int due = fate_at("rename", to_at, to);
  FINISH(due, (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0));
}

int unlinkat(int at, const char *name, int flags) {
  int due = fate_at(flags & AT_REMOVEDIR ? "rmdir" : "unlink", at, name);
  FINISH(due, (int)syscall(SYS_unlinkat, at, name, flags));
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int at, const char *name, mode_t mode) {
  int due = fate_at("mkdir", at, name);
  FINISH(due, (int)syscall(SYS_mkdirat, at, name, mode));
}

int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int ftruncate64(int fd, off64_t size) {
  int due = fate_of("truncate", fd);
  FINISH(due, (int)syscall(SYS_ftruncate, fd, size));
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fchmodat(int at, const char *name, mode_t mode, int flags) {
  int due = fate_at("chmod", at, name);
  FINISH(due, REAL(fchmodat)(at, name, mode, flags));
}

int chmod(const char *name, mode_t mode) { return fchmodat(AT_FDCWD, name, mode, 0); }

int flock(int fd, int operation) {
  int due = fate_of("flock", fd);
  FINISH(due, (int)syscall(SYS_flock, fd, operation));
}

/* A failing close has closed the file all the same, as Linux does it. */
int close(int fd) {
  int due = strstr(calls, ",close,") ? fate_of("close", fd) : NOTHING;
  int failure = errno, result = (int)syscall(SYS_close, fd);
  if (due == KILL_AFTER) die();
  if (due == ERROR) return errno = failure, -1;
  return result;
}
