#include "flow/vote.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Beyond this side, px, a face shows no more of itself to the embedding network. */
#define LARGEST_SIDE 224.0f
/* Faces of the lowest quality still count a little. */
#define LEAST_QUALITY 0.05f

enum vote_kind vote_kind_of(const struct flow_face *face)
{
    if (face->faint)
        return VOTE_FAINT;
    return face->quality.pass && !face->masked ? VOTE_GOOD : VOTE_POOR;
}

static float side_of(const struct flow_face *face)
{
    return fminf(face->quality.face_size, LARGEST_SIDE) / LARGEST_SIDE;
}

float vote_worth(const struct flow_face *face)
{
    return face->norm * (0.75f + 0.25f * side_of(face));
}

static double weight_of(const struct flow_face *face)
{
    float side = side_of(face);
    return (double)(side * side * fmaxf(face->quality.score, LEAST_QUALITY));
}

/* A better kind, or another model set, makes what there was worthless. */
static void begin(struct vote *vote, enum vote_kind kind, const char *model_set)
{
    vote->kind = kind;
    (void)snprintf(vote->model_set, sizeof vote->model_set, "%s", model_set);
    vote->count = 0;
    vote->weight = 0;
    memset(vote->sum, 0, sizeof vote->sum);
}

bool vote_add(struct vote *vote, const struct flow_face *face)
{
    enum vote_kind kind = vote_kind_of(face);
    double weight = weight_of(face);
    bool of_another = strcmp(vote->model_set, face->model_set) != 0;
    if (!(weight > 0) || (vote->count > 0 && !of_another && kind < vote->kind))
        return false;
    if (vote->count == 0 || of_another || kind > vote->kind)
        begin(vote, kind, face->model_set);
    for (size_t i = 0; i < VISION_DIMENSION; i++)
        vote->sum[i] += weight * (double)face->embedding[i];
    vote->weight += weight;
    vote->count++;
    return true;
}

void vote_add_live(struct vote *vote, float live)
{
    vote->live_sum += live;
    vote->live_count++;
}

void vote_merge(struct vote *vote, const struct vote *other)
{
    vote->live_sum += other->live_sum;
    vote->live_count += other->live_count;
    bool of_another = strcmp(vote->model_set, other->model_set) != 0;
    if (other->count == 0 || (vote->count > 0 && !of_another && other->kind < vote->kind))
        return;
    if (vote->count == 0 || of_another || other->kind > vote->kind)
        begin(vote, other->kind, other->model_set);
    for (size_t i = 0; i < VISION_DIMENSION; i++)
        vote->sum[i] += other->sum[i];
    vote->weight += other->weight;
    vote->count += other->count;
}

float vote_embedding(const struct vote *vote, float out[VISION_DIMENSION])
{
    double square = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        out[i] = vote->weight > 0 ? (float)(vote->sum[i] / vote->weight) : 0;
        square += (double)out[i] * (double)out[i];
    }
    return (float)sqrt(square);
}

float vote_live(const struct vote *vote)
{
    return vote->live_count > 0 ? vote->live_sum / (float)vote->live_count : NAN;
}

float vote_likeness(const struct vote *vote, const float embedding[VISION_DIMENSION])
{
    double product = 0, first = 0, second = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        product += vote->sum[i] * (double)embedding[i];
        first += vote->sum[i] * vote->sum[i];
        second += (double)embedding[i] * (double)embedding[i];
    }
    return first > 0 && second > 0 ? (float)(product / sqrt(first * second)) : 0;
}
