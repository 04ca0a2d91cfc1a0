/* Text on a terminal: columns, not bytes; and nothing from outside that a terminal would obey. */
#ifndef AIBOXCTL_TEXT_H
#define AIBOXCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Chooses the character set of the terminal, UTF-8 when it names none. Once, before the others. */
void text_set_up(void);

/* Columns that the text takes on a terminal: 2 for most Chinese characters, 0 for combining ones. Any bytes. */
size_t text_width(const char *text);

/* Copies with control characters and bytes that are no UTF-8 replaced by '?'; cut to `size` with NUL at a whole
 * character. Returns the length of the copy. */
size_t text_clean(const char *text, char *out, size_t size);

/* As text_clean(), and cut to `columns` columns, the last one a '…' when something was cut off. */
size_t text_fit(const char *text, size_t columns, char *out, size_t size);

/* Colours: only for terminals, and not when NO_COLOR is set (no-color.org). "" otherwise. */
enum text_colour { TEXT_PLAIN, TEXT_GOOD, TEXT_WARN, TEXT_BAD, TEXT_STRONG, TEXT_DIM };
const char *text_colour(enum text_colour colour, FILE *to);

#endif
