/* The clock of the agent under test, ahead by as many seconds as the file LATER says; preloaded. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    const char *path = getenv("LATER");
    if (result == 0 && clock == CLOCK_REALTIME && path != NULL) {
        char text[16] = {0};
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file >= 0 && read(file, text, sizeof text - 1) > 0)
            time->tv_sec += atoi(text);
        if (file >= 0)
            close(file);
    }
    return result;
}
