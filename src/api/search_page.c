#include "api/search_page.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct search_page *page)
{
    if (page->count < page->room)
        return true;
    size_t room = page->room ? page->room * 2 : 64;
    struct search_hit *hits = realloc(page->hits, room * sizeof *hits);
    if (hits == NULL)
        return false;
    page->hits = hits;
    page->room = room;
    return true;
}

/* The page ends before the hits of its last millisecond, which is not its only one. */
static void end_page(struct search_page *page)
{
    int64_t last = page->hits[page->count - 1].timestamp_ms;

    while (page->hits[page->count - 1].timestamp_ms == last)
        page->count--;
    page->full = true;
}

/* Whether the page takes the next hit of the scan; if not, it has ended. */
static bool takes(struct search_page *page, const struct search_hit *hit)
{
    if (page->full || page->count < page->limit)
        return !page->full;
    int64_t first = page->hits[0].timestamp_ms, last = page->hits[page->count - 1].timestamp_ms;
    if (hit->timestamp_ms != last)
        page->full = true;
    else if (first != last)
        end_page(page);
    return !page->full;
}

static bool add_by_time(struct search_page *page, const struct search_hit *hit)
{
    int64_t cursor_ms = page->cursor_ms;

    if (cursor_ms != 0 && (page->reverse ? hit->timestamp_ms <= cursor_ms : hit->timestamp_ms >= cursor_ms))
        return true; /* on a page before */
    page->behind++;
    if (!takes(page, hit))
        return true;
    if (!reserve(page))
        return false;
    page->hits[page->count++] = *hit;
    return true;
}

/* Keeps `hits` sorted, best first; equal ones in the order of the scan. */
static bool add_by_score(struct search_page *page, const struct search_hit *hit)
{
    size_t at = page->count;

    page->behind++;
    while (at > 0 && (page->reverse ? page->hits[at - 1].similarity > hit->similarity
                                    : page->hits[at - 1].similarity < hit->similarity))
        at--;
    if (at >= page->limit)
        return true;
    if (page->count == page->limit)
        page->count--;
    if (!reserve(page))
        return false;
    memmove(&page->hits[at + 1], &page->hits[at], (page->count - at) * sizeof *page->hits);
    page->hits[at] = *hit;
    page->count++;
    return true;
}

bool search_page_add(struct search_page *page, const struct search_hit *hit)
{
    page->total++;
    return page->by_score ? add_by_score(page, hit) : add_by_time(page, hit);
}

void search_page_free(struct search_page *page)
{
    free(page->hits);
    page->hits = NULL;
}
