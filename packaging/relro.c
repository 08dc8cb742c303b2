/* Takes back the right to write to what is written once, when the program is relocated: tables of constants and of
   functions (GNU_RELRO). A dynamic linker does that; the C library of the static client leaves it out. */

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The linker puts the program's first byte here. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor)) static void protect(void)
{
    const char *base = (const char *)&__ehdr_start;
    const ElfW(Phdr) *segment = (const void *)(base + __ehdr_start.e_phoff);
    const ElfW(Addr) in_page = (ElfW(Addr))getpagesize() - 1;
    for (int left = __ehdr_start.e_phnum; left > 0; left--, segment++) {
        if (segment->p_type != PT_GNU_RELRO)
            continue;
        ElfW(Addr) start = ((ElfW(Addr))base + segment->p_vaddr) & ~in_page;
        ElfW(Addr) end = ((ElfW(Addr))base + segment->p_vaddr + segment->p_memsz) & ~in_page;
        if (start < end && mprotect((void *)start, end - start, PROT_READ) != 0)
            abort();
    }
}
