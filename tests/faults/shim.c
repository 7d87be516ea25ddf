/* Stands between the program and the disk: writes down what is done to one directory, and lets calls fail.
 *
 * GAVEL_SHIM_DIR    the directory that is watched, as an absolute path
 * GAVEL_SHIM_TRACE  a file that gets every change, as records (see `struct record`)
 * GAVEL_SHIM_ORDERS a file that may appear at any time: "CALL NUMBER ERRNO TIMES" lets the calls from this number on
 *                   fail, counted from the file's appearance; "stall MILLISECONDS" makes every sync wait;
 *                   "clock SECONDS" shifts the wall clock; the calls are `write` and `sync`
 * GAVEL_SHIM_NOSYNC syncs do nothing and say that they did
 *
 * The shared memory of the database (`-shm`) is left out: it is made anew after every crash. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Little-endian on every machine that this runs on. The path's bytes follow, then the content's. */
struct record {
    uint32_t kind; /* 1 write, 2 truncate, 3 sync, 4 rename (content: the new path), 5 unlink, 6 create */
    uint32_t path_bytes;
    uint64_t offset; /* of a write; the length after a truncate */
    uint64_t bytes;
};
enum { WRITE = 1, TRUNCATE, SYNC, RENAME, UNLINK, CREATE };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static const char *watched, *orders_path;
static size_t watched_bytes;
static int nosync;
static struct { char call[16]; long from, error, times; } order;
static long calls_write, calls_sync, failed, stall_ms, clock_shift;
static time_t orders_read_at;

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static ssize_t put(const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    return real_write(trace, bytes, count);
}

__attribute__((constructor)) static void begin(void) {
    watched = getenv("GAVEL_SHIM_DIR");
    orders_path = getenv("GAVEL_SHIM_ORDERS");
    nosync = getenv("GAVEL_SHIM_NOSYNC") != NULL;
    const char *path = getenv("GAVEL_SHIM_TRACE");
    if (!watched) return;
    watched_bytes = strlen(watched);
    if (path) trace = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* The compiler's processes are somebody else. */
    unsetenv("LD_PRELOAD");
}

/* The path within the directory, or NULL. */
static const char *within(const char *path) {
    if (!watched || strncmp(path, watched, watched_bytes) != 0) return NULL;
    const char *rest = path + watched_bytes;
    if (*rest == '/') rest++;
    else if (*rest != 0) return NULL;
    size_t length = strlen(rest);
    if (length >= 4 && strcmp(rest + length - 4, "-shm") == 0) return NULL;
    return rest;
}

static const char *path_of(int fd, char *buffer) {
    char link[40];
    if (!watched || fd == trace) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return within(buffer);
}

static void note(uint32_t kind, const char *path, uint64_t offset, const void *bytes, size_t count) {
    if (trace < 0) return;
    struct record record = {kind, (uint32_t)strlen(path), offset, count};
    size_t size = sizeof record + record.path_bytes + count;
    char *whole = malloc(size);
    if (!whole) abort();
    memcpy(whole, &record, sizeof record);
    memcpy(whole + sizeof record, path, record.path_bytes);
    if (count) memcpy(whole + sizeof record + record.path_bytes, bytes, count);
    if (put(whole, size) != (ssize_t)size) abort();
    free(whole);
}

/* Reads new orders. Called under the lock. */
static void read_orders(void) {
    struct stat file;
    if (!orders_path || stat(orders_path, &file) != 0 || file.st_size == 0) return;
    long stamp = file.st_mtim.tv_sec * 1000000 + file.st_mtim.tv_nsec / 1000;
    if (stamp == orders_read_at) return;
    orders_read_at = stamp;
    char text[256] = {0};
    int fd = open(orders_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (read(fd, text, sizeof text - 1) > 0) {
        calls_write = calls_sync = failed = stall_ms = 0;
        order.call[0] = 0;
        if (sscanf(text, "stall %ld", &stall_ms) != 1 && sscanf(text, "clock %ld", &clock_shift) != 1)
            sscanf(text, "%15s %ld %ld %ld", order.call, &order.from, &order.error, &order.times);
    }
    close(fd);
}

/* The error with which this call is to fail, or 0. Called under the lock. */
static int fails(const char *call, long *calls) {
    read_orders();
    ++*calls;
    if (strcmp(order.call, call) != 0 || *calls < order.from || failed >= order.times) return 0;
    failed++;
    return (int)order.error;
}

static int refuse(int error) {
    pthread_mutex_unlock(&lock);
    errno = error;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    if (!path) return real_write(fd, bytes, count);
    pthread_mutex_lock(&lock);
    int error = fails("write", &calls_write);
    if (error) return refuse(error);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = real_write(fd, bytes, count);
    if (done > 0) note(WRITE, path, (uint64_t)at, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    if (!path) return real_pwrite64(fd, bytes, count, offset);
    pthread_mutex_lock(&lock);
    int error = fails("write", &calls_write);
    if (error) return refuse(error);
    ssize_t done = real_pwrite64(fd, bytes, count, offset);
    if (done > 0) note(WRITE, path, (uint64_t)offset, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}

int ftruncate64(int fd, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    if (!path) return real_ftruncate64(fd, length);
    pthread_mutex_lock(&lock);
    int error = fails("write", &calls_write);
    if (error) return refuse(error);
    int done = real_ftruncate64(fd, length);
    if (done == 0) note(TRUNCATE, path, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_by(int fd, int (*real)(int)) {
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    if (!path) return real(fd);
    pthread_mutex_lock(&lock);
    int error = fails("sync", &calls_sync);
    long pause = stall_ms;
    pthread_mutex_unlock(&lock);
    if (pause) {
        struct timespec time = {pause / 1000, pause % 1000 * 1000000};
        nanosleep(&time, NULL);
    }
    if (error) {
        errno = error;
        return -1;
    }
    if (nosync) return 0;
    int done = real(fd);
    pthread_mutex_lock(&lock);
    if (done == 0) note(SYNC, path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return sync_by(fd, real_fsync);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return sync_by(fd, real_fdatasync);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    const char *old = within(from), *new = within(to);
    pthread_mutex_lock(&lock);
    int done = real_rename(from, to);
    if (done == 0 && old && new) note(RENAME, old, 0, new, strlen(new));
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    const char *inside = within(path);
    pthread_mutex_lock(&lock);
    int done = real_unlink(path);
    if (done == 0 && inside) note(UNLINK, inside, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int open64(const char *path, int flags, ...) {
    REAL(int, open64, const char *, int, ...);
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    const char *inside = (flags & O_CREAT) ? within(path) : NULL;
    if (!inside) return real_open64(path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat before;
    int there = stat(path, &before) == 0;
    int fd = real_open64(path, flags, mode);
    if (fd >= 0 && !there) note(CREATE, inside, 0, NULL, 0);
    if (fd >= 0 && there && (flags & O_TRUNC)) note(TRUNCATE, inside, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open64(path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int done = real_clock_gettime(clock, time);
    if (clock == CLOCK_REALTIME && done == 0 && orders_path) {
        pthread_mutex_lock(&lock);
        read_orders();
        time->tv_sec += clock_shift;
        pthread_mutex_unlock(&lock);
    }
    return done;
}
