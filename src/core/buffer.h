/* Growable byte buffer with a declared maximum. */
#ifndef AIBOX_CORE_BUFFER_H
#define AIBOX_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise with buffer_init(). `data` is NUL-terminated after every successful append (the
 * NUL is not counted in `size`). Not thread-safe. */
struct buffer {
    uint8_t *data; /* owned; NULL before the first append */
    size_t size;
    size_t capacity;
    size_t maximum;
    bool failed; /* an append did not fit or memory ran out; sticky, so one check at the end is enough */
};

void buffer_init(struct buffer *buf, size_t maximum);
/* Each returns false, sets `failed` and changes nothing else when maximum or memory is exceeded; once
 * `failed` is set all return false, so that no text with a hole in it can come about. `bytes` must
 * not lie in the buffer itself. `maximum` counts content without the NUL. */
bool buffer_append(struct buffer *buf, const void *bytes, size_t size);
bool buffer_append_text(struct buffer *buf, const char *text);
bool buffer_appendf(struct buffer *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buffer_reserve(struct buffer *buf, size_t extra);
/* Detaches the bytes: the caller frees them with free(). The buffer is empty and usable again.
 * A failed buffer, or one never appended to, gives NULL and size 0. */
uint8_t *buffer_give(struct buffer *buf, size_t *size);
void buffer_clear(struct buffer *buf); /* size 0, memory kept, failed false */
void buffer_free(struct buffer *buf);  /* memory released; usable again */

#endif
