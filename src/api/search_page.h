/* The events that one answer of the picture search lists, out of a scan of the history. Not thread-safe. */
#ifndef AIBOX_API_SEARCH_PAGE_H
#define AIBOX_API_SEARCH_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search_hit {
    int64_t seq; /* of the event */
    int64_t timestamp_ms;
    float similarity;
};

/*
 * By time the page is a run of the scan, which comes newest first (`reverse`: oldest first), from the cursor on. It
 * ends between two different times, so that the next page, which begins behind the last time, misses none: for that it
 * may hold fewer hits than `limit`, or more where so many are of one millisecond. By score it is the best (`reverse`:
 * the least similar) of the whole scan.
 */
struct search_page {
    bool by_score, reverse;
    int64_t cursor_ms; /* by time: the last time of the page before; 0: the first page */
    size_t limit;      /* >= 1 */
    /* Filled by search_page_add, zero before. */
    struct search_hit *hits; /* in the order of the answer */
    size_t count, room;
    size_t total;  /* hits of the scan */
    size_t behind; /* those of them that belong on this page or a later one */
    bool full;     /* by time: the page has ended */
};

/* The next hit of the scan. False: out of memory. */
bool search_page_add(struct search_page *page, const struct search_hit *hit);
void search_page_free(struct search_page *page);

#endif
