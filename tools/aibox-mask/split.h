/* Who is for learning, and who is for measuring what was learnt. */
#ifndef AIBOX_MASK_SPLIT_H
#define AIBOX_MASK_SPLIT_H

#include <stdbool.h>

/* A fifth of all people, by name: nothing is ever learnt from their pictures. */
bool split_held_out(const char *name);

/* Of the others: one of SPLIT_FOLDS parts. */
#define SPLIT_FOLDS 4
unsigned split_fold(const char *name);

#endif
