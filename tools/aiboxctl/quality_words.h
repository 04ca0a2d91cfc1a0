/* What the box measured of a face, in plain words. */
#ifndef AIBOXCTL_QUALITY_WORDS_H
#define AIBOXCTL_QUALITY_WORDS_H

#include <jansson.h>
#include <stddef.h>

/*
 * `quality`: an element of the FIQA answer ({score, info: {face_size, headpose, …}}). Writes for example "good (0.71):
 * face of 143 px" or "poor (0.20): face of 41 px, too small; turned sideways by 48°". What stands below the limits of
 * level high is named. "not judged" for what holds no such answer.
 */
void quality_words(const json_t *quality, char *out, size_t size);

#endif
