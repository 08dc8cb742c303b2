/* The name of STS, as the file NAMES says: "lost", and it is not found; "hang", and no answer comes; else it is this machine.
   Preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int says(const char *word) {
    char text[16] = {0};
    const char *path = getenv("NAMES");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 && strcmp(text, word) == 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    look_up *real = (look_up *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (name == NULL || strcmp(name, "sts.jumpgate.test") != 0)
        return real(name, service, hints, found);
    struct timespec pause = {0, 50 * 1000 * 1000};
    while (says("hang"))
        nanosleep(&pause, NULL);
    return says("lost") ? EAI_AGAIN : real("127.0.0.1", service, hints, found);
}
