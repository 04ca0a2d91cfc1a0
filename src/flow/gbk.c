#include "flow/gbk.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>

/* The opposite is (iconv_t)-1. */
static bool is_open(iconv_t conversion)
{
    return (intptr_t)conversion != -1;
}

char *gbk_to_utf8(const char *text, size_t size, size_t *out_size)
{
    /* Two bytes of GB 18030 become at most four of UTF-8, as some rare characters do; one becomes one. */
    size_t room = size * 2 + 1, left = room;
    iconv_t conversion = iconv_open("UTF-8", "GB18030");
    char *out = is_open(conversion) ? malloc(room + 1) : NULL;
    char *to = out, *from = (char *)text;

    if (out && (iconv(conversion, &from, &size, &to, &left) == (size_t)-1 || size > 0)) {
        free(out);
        out = NULL;
    }
    if (is_open(conversion))
        (void)iconv_close(conversion);
    if (!out)
        return NULL;
    *to = '\0';
    if (out_size)
        *out_size = room - left;
    return out;
}

bool gbk_valid(const char *text, size_t size)
{
    iconv_t conversion = iconv_open("UTF-8", "GB18030");
    char *from = (char *)text;
    bool valid = is_open(conversion);

    while (valid && size > 0) {
        char rubbish[4096], *to = rubbish;
        size_t left = sizeof rubbish;

        valid = iconv(conversion, &from, &size, &to, &left) != (size_t)-1 || errno == E2BIG;
    }
    if (is_open(conversion))
        (void)iconv_close(conversion);
    return valid;
}
