/* The page's files, built into the program from page/ (see embed.cmake). */
#ifndef AIBOX_RECEIVER_PAGE_H
#define AIBOX_RECEIVER_PAGE_H

#include <stddef.h>

struct page_file {
    const char *path; /* at which it is served */
    const char *type;
    const unsigned char *bytes;
    size_t size;
};

#define PAGE_FILES 3
extern const struct page_file page_files[PAGE_FILES];

#endif
