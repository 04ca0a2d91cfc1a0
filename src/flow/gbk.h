/* Text that Chinese Windows wrote without saying in which encoding. */
#ifndef AIBOX_FLOW_GBK_H
#define AIBOX_FLOW_GBK_H

#include <stdbool.h>
#include <stddef.h>

/* GB 18030, which contains GBK (code page 936) and ASCII, as UTF-8; freed by the caller. NULL: it isn't, or no memory.
 * A NUL within the text is kept; one stands behind it. `*out_size` (may be NULL): bytes without that one. */
char *gbk_to_utf8(const char *text, size_t size, size_t *out_size);
/* Whether it is, without keeping the result. */
bool gbk_valid(const char *text, size_t size);

#endif
