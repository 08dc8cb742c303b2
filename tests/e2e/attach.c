/* Every way into the memory and descriptors of another process of the same user. For each: its name, and what the kernel says:
   "in", or the name of the refusal. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *way, int in) {
    printf("%s %s\n", way, in ? "in" : errno == EPERM || errno == EACCES ? "refused" : strerror(errno));
}

int main(int count, char **words) {
    pid_t pid = count > 1 ? atoi(words[1]) : 0;
    char path[64], byte;

    int attached = ptrace(PTRACE_ATTACH, pid, 0, 0) == 0;
    say("attach", attached);
    if (attached) {
        waitpid(pid, NULL, __WALL);
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    int seized = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
    say("seize", seized);

    /* No address is known: whoever is let in is told that this one is bad. */
    struct iovec here = {&byte, 1}, there = {(void *)4096, 1};
    int reads = process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 || errno == EFAULT;
    say("process_vm_readv", reads);

    const char *files[] = {"mem", "maps", "environ", "auxv"};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, files[i]);
        int file = open(path, O_RDONLY);
        say(files[i], file >= 0);
    }
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    say("exe", readlink(path, &byte, 1) == 1);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    say("fd", open(path, O_RDONLY | O_DIRECTORY) >= 0);

    int handle = syscall(SYS_pidfd_open, pid, 0);
    if (handle >= 0)
        say("pidfd_getfd", syscall(SYS_pidfd_getfd, handle, 0, 0) >= 0 || errno == EBADF);
    return 0;
}
