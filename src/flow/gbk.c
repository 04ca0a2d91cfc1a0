#include "flow/gbk.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

char *gbk_to_utf8(const char *text, size_t size, size_t *out_size)
{
    /* Two bytes of GB 18030 become at most three of UTF-8, four become at most four. */
    size_t room = size + size / 2 + 1, left = room;
    iconv_t conversion = iconv_open("UTF-8", "GB18030");
    char *out = conversion == (iconv_t)-1 ? NULL : malloc(room + 1);
    char *to = out, *from = (char *)text;

    if (out && (iconv(conversion, &from, &size, &to, &left) == (size_t)-1 || size > 0)) {
        free(out);
        out = NULL;
    }
    if (conversion != (iconv_t)-1)
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
    bool valid = conversion != (iconv_t)-1;

    while (valid && size > 0) {
        char rubbish[4096], *to = rubbish;
        size_t left = sizeof rubbish;

        valid = iconv(conversion, &from, &size, &to, &left) != (size_t)-1 || errno == E2BIG;
    }
    if (conversion != (iconv_t)-1)
        (void)iconv_close(conversion);
    return valid;
}
