#include "gallery/labels.h"

#include <string.h>

#include "gallery/memory.h"

#define CODES_PER_WORD    4
#define INLINE_CODES      8
#define LABEL_WIDE_TAG    (UINT64_C(0xffff) << 48) /* no code looks like this */
#define LABEL_GROUP_WORDS (GALLERY_MAX_LABELS / 64)
#define PASSES            3 /* in a group and holding a permission, and nothing that is unwanted */

static const uint64_t all_none = LABEL_NONE * UINT64_C(0x0001000100010001);

bool label_sets_open(struct label_sets *sets, size_t max)
{
    memset(sets, 0, sizeof(*sets));
    sets->max = max;
    sets->n_buckets = 1024;
    while (sets->n_buckets < max)
        sets->n_buckets *= 2;
    sets->sets = memory_reserve(max, sizeof(*sets->sets));
    sets->wide = memory_reserve(max, sizeof(*sets->wide));
    sets->live = memory_reserve(max, sizeof(*sets->live));
    sets->refs = memory_reserve(max, sizeof(*sets->refs));
    sets->hashes = memory_reserve(max, sizeof(*sets->hashes));
    sets->links = memory_reserve(max, sizeof(*sets->links));
    sets->wide_link = memory_reserve(max, sizeof(*sets->wide_link));
    sets->buckets = memory_reserve(sets->n_buckets, sizeof(*sets->buckets));
    if (sets->sets != NULL && sets->wide != NULL && sets->live != NULL && sets->refs != NULL && sets->hashes != NULL &&
        sets->links != NULL && sets->wide_link != NULL && sets->buckets != NULL)
        return true;
    label_sets_close(sets);
    return false;
}

void label_sets_close(struct label_sets *sets)
{
    memory_release(sets->sets, sets->max, sizeof(*sets->sets));
    memory_release(sets->wide, sets->max, sizeof(*sets->wide));
    memory_release(sets->live, sets->max, sizeof(*sets->live));
    memory_release(sets->refs, sets->max, sizeof(*sets->refs));
    memory_release(sets->hashes, sets->max, sizeof(*sets->hashes));
    memory_release(sets->links, sets->max, sizeof(*sets->links));
    memory_release(sets->wide_link, sets->max, sizeof(*sets->wide_link));
    memory_release(sets->buckets, sets->n_buckets, sizeof(*sets->buckets));
    memset(sets, 0, sizeof(*sets));
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static bool is_wide(uint64_t codes)
{
    return (codes & LABEL_WIDE_TAG) == LABEL_WIDE_TAG;
}

static uint32_t wide_number(uint64_t codes)
{
    return (uint32_t)codes;
}

/* The set as one bitset over codes. */
static void expand(const struct label_sets *sets, uint32_t set, uint64_t bits[LABEL_WIDE_WORDS])
{
    const struct label_set *from = &sets->sets[set];
    uint64_t first = load(&from->codes[0]);
    if (is_wide(first)) {
        for (size_t i = 0; i < LABEL_WIDE_WORDS; i++)
            bits[i] = load(&sets->wide[wide_number(first)].words[i]);
        return;
    }
    memset(bits, 0, LABEL_WIDE_WORDS * sizeof(*bits));
    for (size_t i = 0; i < INLINE_CODES; i++) {
        unsigned code = load(&from->codes[i / CODES_PER_WORD]) >> (i % CODES_PER_WORD * 16) & 0xffff;
        if (code != LABEL_NONE)
            bits[code / 64] |= UINT64_C(1) << (code % 64);
    }
}

static uint32_t hash_bits(const uint64_t bits[LABEL_WIDE_WORDS])
{
    uint64_t hash = 0;
    for (size_t i = 0; i < LABEL_WIDE_WORDS; i++) {
        hash = (hash ^ bits[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash >> 16);
}

static void index_add(struct label_sets *sets, uint32_t set, uint32_t hash)
{
    uint32_t *bucket = &sets->buckets[hash & (sets->n_buckets - 1)];
    sets->hashes[set] = hash;
    sets->links[set] = *bucket;
    *bucket = set + 1;
}

static void index_remove(struct label_sets *sets, uint32_t set)
{
    uint32_t *link = &sets->buckets[sets->hashes[set] & (sets->n_buckets - 1)];
    while (*link != set + 1)
        link = &sets->links[*link - 1];
    *link = sets->links[set];
}

static uint64_t take_wide(struct label_sets *sets, const uint64_t bits[LABEL_WIDE_WORDS])
{
    uint32_t number;
    if (sets->free_wide != 0) {
        number = sets->free_wide - 1;
        sets->free_wide = sets->wide_link[number];
    } else {
        number = sets->wide_top++;
    }
    for (size_t i = 0; i < LABEL_WIDE_WORDS; i++)
        store(&sets->wide[number].words[i], bits[i]);
    return LABEL_WIDE_TAG | number;
}

static void write_set(struct label_sets *sets, uint32_t set, const uint64_t bits[LABEL_WIDE_WORDS])
{
    uint64_t codes[2] = {all_none, all_none};
    size_t n = 0;
    for (size_t i = 0; i < LABEL_WIDE_WORDS && n <= INLINE_CODES; i++) {
        for (uint64_t left = bits[i]; left != 0; left &= left - 1, n++) {
            uint64_t code = i * 64 + (size_t)__builtin_ctzll(left);
            if (n < INLINE_CODES)
                codes[n / CODES_PER_WORD] ^= (code ^ LABEL_NONE) << (n % CODES_PER_WORD * 16);
        }
    }
    if (n > INLINE_CODES) {
        codes[0] = take_wide(sets, bits);
        codes[1] = all_none;
    }
    store(&sets->sets[set].codes[0], codes[0]);
    store(&sets->sets[set].codes[1], codes[1]);
}

uint32_t label_sets_acquire(struct label_sets *sets, const struct gallery_labels *groups,
                            const struct gallery_labels *permissions, bool masked)
{
    uint64_t bits[LABEL_WIDE_WORDS] = {0};
    uint64_t other[LABEL_WIDE_WORDS];
    memcpy(bits, groups->bits, sizeof(groups->bits));
    memcpy(bits + LABEL_GROUP_WORDS, permissions->bits, sizeof(permissions->bits));
    if (masked)
        bits[LABEL_MASKED / 64] |= UINT64_C(1) << (LABEL_MASKED % 64);
    uint32_t hash = hash_bits(bits);
    for (uint32_t link = sets->buckets[hash & (sets->n_buckets - 1)]; link != 0; link = sets->links[link - 1]) {
        if (sets->hashes[link - 1] != hash)
            continue;
        expand(sets, link - 1, other);
        if (memcmp(bits, other, sizeof(bits)) == 0) {
            sets->refs[link - 1]++;
            return link - 1;
        }
    }
    uint32_t top = atomic_load_explicit(&sets->top, memory_order_relaxed);
    uint32_t set = top;
    if (sets->free_set != 0) {
        set = sets->free_set - 1;
        sets->free_set = sets->links[set];
    }
    write_set(sets, set, bits);
    if (set == top)
        atomic_store_explicit(&sets->top, top + 1, memory_order_release);
    index_add(sets, set, hash);
    sets->refs[set] = 1;
    return set;
}

bool label_sets_masked(const struct label_sets *sets, uint32_t set)
{
    uint64_t bits[LABEL_WIDE_WORDS];
    expand(sets, set, bits);
    return (bits[LABEL_MASKED / 64] >> (LABEL_MASKED % 64) & 1) != 0;
}

void label_sets_share(struct label_sets *sets, uint32_t set)
{
    sets->refs[set]++;
}

void label_sets_release(struct label_sets *sets, uint32_t set)
{
    if (--sets->refs[set] != 0)
        return;
    uint64_t first = load(&sets->sets[set].codes[0]);
    if (is_wide(first)) {
        sets->wide_link[wide_number(first)] = sets->free_wide;
        sets->free_wide = wide_number(first) + 1;
    }
    index_remove(sets, set);
    sets->links[set] = sets->free_set;
    sets->free_set = set + 1;
}

/* Takes the code out of one set, in one store, so that a reader sees the other labels at all times. */
static bool drop_from(struct label_sets *sets, struct label_set *set, unsigned code)
{
    uint64_t first = load(&set->codes[0]);
    if (is_wide(first)) {
        _Atomic uint64_t *word = &sets->wide[wide_number(first)].words[code / 64];
        uint64_t bit = UINT64_C(1) << (code % 64);
        bool held = (load(word) & bit) != 0;
        store(word, load(word) & ~bit);
        return held;
    }
    for (size_t i = 0; i < INLINE_CODES; i++) {
        _Atomic uint64_t *word = &set->codes[i / CODES_PER_WORD];
        unsigned shift = i % CODES_PER_WORD * 16;
        if ((load(word) >> shift & 0xffff) == code) {
            store(word, load(word) ^ (uint64_t)(code ^ LABEL_NONE) << shift);
            return true;
        }
    }
    return false;
}

void label_sets_drop(struct label_sets *sets, unsigned code)
{
    uint32_t top = atomic_load_explicit(&sets->top, memory_order_relaxed);
    for (uint32_t set = 0; set < top; set++) {
        if (sets->refs[set] == 0 || !drop_from(sets, &sets->sets[set], code))
            continue;
        /* Two sets may be equal from now on; the index finds one of them, which is enough. */
        uint64_t bits[LABEL_WIDE_WORDS];
        expand(sets, set, bits);
        index_remove(sets, set);
        index_add(sets, set, hash_bits(bits));
    }
}

bool label_filter_needed(const struct gallery_filter *asked)
{
    return asked != NULL && (asked->groups != NULL || asked->permissions != NULL || asked->unmasked);
}

/* What the codes of a word of bits contribute to a filter. */
static uint8_t gift_of(size_t word)
{
    if (word == LABEL_MASKED / 64)
        return 4;
    return word < LABEL_GROUP_WORDS ? 1 : 2;
}

void label_filter_init(struct label_filter *filter, const struct gallery_filter *asked)
{
    memset(filter, 0, sizeof(*filter));
    filter->start = (uint8_t)((asked->groups == NULL ? 1 : 0) | (asked->permissions == NULL ? 2 : 0));
    if (asked->groups != NULL)
        memcpy(filter->bits, asked->groups->bits, sizeof(asked->groups->bits));
    if (asked->permissions != NULL)
        memcpy(filter->bits + LABEL_GROUP_WORDS, asked->permissions->bits, sizeof(asked->permissions->bits));
    if (asked->unmasked)
        filter->bits[LABEL_MASKED / 64] |= UINT64_C(1) << (LABEL_MASKED % 64);
    for (size_t i = 0; i < LABEL_WIDE_WORDS; i++) {
        for (uint64_t left = filter->bits[i]; left != 0; left &= left - 1)
            filter->gives[i * 64 + (size_t)__builtin_ctzll(left)] = gift_of(i);
    }
}

static unsigned gives_four(const struct label_filter *filter, uint64_t codes)
{
    const uint8_t *gives = filter->gives;
    return gives[codes & 0xffff] | gives[codes >> 16 & 0xffff] | gives[codes >> 32 & 0xffff] | gives[codes >> 48];
}

bool label_filter_passes(const struct label_filter *filter, const struct label_sets *sets, uint32_t set)
{
    uint64_t first = load(&sets->sets[set].codes[0]);
    uint64_t second = load(&sets->sets[set].codes[1]);
    unsigned has = filter->start;
    if (!is_wide(first)) {
        has |= gives_four(filter, first);
        if (second != all_none)
            has |= gives_four(filter, second);
        return has == PASSES;
    }
    const struct label_bits *wide = &sets->wide[wide_number(first)];
    for (size_t i = 0; i < LABEL_WIDE_WORDS; i++) {
        if ((load(&wide->words[i]) & filter->bits[i]) != 0)
            has |= gift_of(i);
    }
    return has == PASSES;
}
