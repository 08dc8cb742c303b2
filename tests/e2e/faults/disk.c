/* The disk under the journal of the agent under test, as the file DISK says: f is full, r is read-only, s is slow to
 * flush; preloaded. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char fault(int file) {
    const char *path = getenv("DISK");
    char name[32], target[512], said = 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = path == NULL ? -1 : readlink(name, target, sizeof target - 1);
    if (length <= 0)
        return 0;
    target[length] = 0;
    if (strstr(target, "/jumpgate/journal/") == NULL)
        return 0;
    int told = open(path, O_RDONLY | O_CLOEXEC);
    if (told >= 0 && read(told, &said, 1) != 1)
        said = 0;
    if (told >= 0)
        close(told);
    return said;
}

ssize_t write(int file, const void *bytes, size_t count) {
    char what = fault(file);
    if (what == 'f' || what == 'r') {
        errno = what == 'f' ? ENOSPC : EROFS;
        return -1;
    }
    return syscall(SYS_write, file, bytes, count);
}

int fdatasync(int file) {
    struct timespec pause = {.tv_sec = 1};
    if (fault(file) == 's')
        nanosleep(&pause, NULL);
    return syscall(SYS_fdatasync, file);
}
