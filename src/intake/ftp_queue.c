#include "intake/ftp_queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define SIDECAR_WAIT_MS 1000
/* Pictures in a row without a word after which none is expected any more: of a new account, and of one that has said
 * something. */
#define HOPE_AT_FIRST 3
#define HOPE_RENEWED  20

struct account {
    char user[FTP_USER_MAX];
    const struct device *device; /* owned */
    struct ftp_picture *first;   /* those that wait, oldest first */
    struct ftp_picture **end;
    size_t pictures, bytes;
    int hope; /* of a sidecar */
    int64_t last_ms;
    char last_error[128];
    struct account *next;
    bool wanted; /* while accounts are being set */
};

struct ftp_queue {
    struct ftp_queue_limits limits;
    void (*dropped)(void *ctx, const struct ftp_picture *picture);
    void *ctx;
    pthread_mutex_t mu; /* guards what follows; leaf */
    pthread_cond_t changed;
    struct account *accounts; /* in the order in which they take turns */
    struct ftp_picture *taken;
    size_t bytes, undecided;
    bool stopped;
};

static void picture_free(struct ftp_picture *picture)
{
    device_release(picture->device);
    free(picture->stem);
    free(picture->sidecar);
    free(picture);
}

static void free_all(struct ftp_picture *list)
{
    while (list != NULL) {
        struct ftp_picture *next = list->next;
        picture_free(list);
        list = next;
    }
}

/* Without the lock. */
static void drop_all(struct ftp_queue *queue, struct ftp_picture *list)
{
    for (const struct ftp_picture *picture = list; picture != NULL; picture = picture->next)
        queue->dropped(queue->ctx, picture);
    free_all(list);
}

enum aibox_status ftp_queue_open(const struct ftp_queue_limits *limits,
                                 void (*dropped)(void *ctx, const struct ftp_picture *picture), void *ctx,
                                 struct ftp_queue **out, struct aibox_error *err)
{
    struct ftp_queue *queue = calloc(1, sizeof *queue);
    *out = NULL;
    if (queue == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    queue->limits = *limits;
    queue->dropped = dropped;
    queue->ctx = ctx;
    pthread_mutex_init(&queue->mu, NULL);
    if (!clock_cond_init(&queue->changed)) {
        pthread_mutex_destroy(&queue->mu);
        free(queue);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    *out = queue;
    return AIBOX_OK;
}

void ftp_queue_stop(struct ftp_queue *queue)
{
    pthread_mutex_lock(&queue->mu);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mu);
}

static void account_free(struct account *account)
{
    free_all(account->first);
    device_release(account->device);
    free(account);
}

void ftp_queue_close(struct ftp_queue *queue)
{
    if (queue == NULL)
        return;
    while (queue->accounts != NULL) {
        struct account *next = queue->accounts->next;
        account_free(queue->accounts);
        queue->accounts = next;
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mu);
    free(queue);
}

/* ---- accounts ---------------------------------------------------------------------------------------------------- */

static struct account *find(const struct ftp_queue *queue, const char *user)
{
    struct account *account = queue->accounts;
    while (account != NULL && strcmp(account->user, user) != 0)
        account = account->next;
    return account;
}

static bool add_account(struct ftp_queue *queue, const struct device *device)
{
    struct account *account = calloc(1, sizeof *account), **end = &queue->accounts;
    if (account == NULL)
        return false;
    memcpy(account->user, device->ftp_user, strlen(device->ftp_user) + 1);
    account->device = device_ref(device);
    account->end = &account->first;
    account->hope = HOPE_AT_FIRST;
    account->wanted = true;
    while (*end != NULL)
        end = &(*end)->next;
    *end = account;
    return true;
}

/* The oldest picture of the account. */
static struct ftp_picture *pop(struct ftp_queue *queue, struct account *account)
{
    struct ftp_picture *picture = account->first;
    account->first = picture->next;
    if (account->first == NULL)
        account->end = &account->first;
    picture->next = NULL;
    account->pictures--;
    account->bytes -= picture->size;
    queue->bytes -= picture->size;
    return picture;
}

static void remove_unwanted(struct ftp_queue *queue, struct ftp_picture **dropped)
{
    for (struct account **at = &queue->accounts; *at != NULL;) {
        struct account *account = *at;
        if (account->wanted) {
            at = &account->next;
            continue;
        }
        while (account->first != NULL) {
            struct ftp_picture *picture = pop(queue, account);
            picture->next = *dropped;
            *dropped = picture;
        }
        *at = account->next;
        account_free(account);
    }
}

enum aibox_status ftp_queue_set_devices(struct ftp_queue *queue, const struct device_list *devices,
                                        struct aibox_error *err)
{
    struct ftp_picture *dropped = NULL;
    bool fine = true;
    pthread_mutex_lock(&queue->mu);
    for (struct account *account = queue->accounts; account != NULL; account = account->next)
        account->wanted = false;
    for (size_t i = 0; i < devices->count; i++) {
        const struct device *device = devices->items[i];
        if (device->type != DEVICE_CAPTURE_CAMERA || device->ftp_user[0] == '\0' ||
            strlen(device->ftp_user) >= FTP_USER_MAX)
            continue;
        struct account *account = find(queue, device->ftp_user);
        if (account == NULL) {
            fine = add_account(queue, device) && fine;
            continue;
        }
        account->wanted = true;
        device_release(account->device);
        account->device = device_ref(device);
    }
    remove_unwanted(queue, &dropped);
    pthread_mutex_unlock(&queue->mu);
    drop_all(queue, dropped);
    return fine ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

const struct device *ftp_queue_device(struct ftp_queue *queue, const char *user)
{
    pthread_mutex_lock(&queue->mu);
    const struct account *account = find(queue, user);
    const struct device *device = account != NULL ? device_ref(account->device) : NULL;
    pthread_mutex_unlock(&queue->mu);
    return device;
}

/* ---- coming ------------------------------------------------------------------------------------------------------ */

/* Of all accounts the one with the most bytes. */
static struct account *largest(const struct ftp_queue *queue)
{
    struct account *found = queue->accounts;
    for (struct account *account = found; account != NULL; account = account->next)
        if (account->bytes > found->bytes)
            found = account;
    return found;
}

static void make_room(struct ftp_queue *queue, struct account *account, struct ftp_picture **dropped)
{
    const struct ftp_queue_limits *limits = &queue->limits;
    for (;;) {
        struct account *from = NULL;
        if (account->pictures > limits->account_pictures || account->bytes > limits->account_bytes)
            from = account;
        else if (queue->bytes > limits->total_bytes)
            from = largest(queue);
        if (from == NULL)
            return;
        struct ftp_picture *picture = pop(queue, from);
        picture->next = *dropped;
        *dropped = picture;
    }
}

bool ftp_queue_put(struct ftp_queue *queue, struct ftp_picture *picture)
{
    struct ftp_picture *dropped = NULL;
    pthread_mutex_lock(&queue->mu);
    struct account *account = find(queue, picture->user);
    if (account != NULL) {
        picture->device = device_ref(account->device);
        picture->next = NULL;
        *account->end = picture;
        account->end = &picture->next;
        account->pictures++;
        account->bytes += picture->size;
        account->last_ms = picture->uploaded_ms;
        queue->bytes += picture->size;
        make_room(queue, account, &dropped);
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mu);
    drop_all(queue, dropped);
    if (account == NULL)
        picture_free(picture);
    return account != NULL;
}

static struct ftp_picture *find_stem(struct ftp_picture *list, const char *user, const char *stem)
{
    while (list != NULL && (list->sidecar != NULL || strcmp(list->user, user) != 0 || strcmp(list->stem, stem) != 0))
        list = list->next;
    return list;
}

bool ftp_queue_attach(struct ftp_queue *queue, const char *user, const char *stem, char *sidecar)
{
    pthread_mutex_lock(&queue->mu);
    struct account *account = find(queue, user);
    struct ftp_picture *picture = find_stem(queue->taken, user, stem);
    if (account != NULL && picture == NULL)
        picture = find_stem(account->first, user, stem);
    if (account != NULL)
        account->hope = HOPE_RENEWED;
    if (picture != NULL) {
        picture->sidecar = sidecar;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mu);
    return picture != NULL;
}

/* ---- going ------------------------------------------------------------------------------------------------------- */

/* The picture whose turn it is; its account goes to the end. */
static struct ftp_picture *next_picture(struct ftp_queue *queue)
{
    struct account **at = &queue->accounts;
    while (*at != NULL && (*at)->first == NULL)
        at = &(*at)->next;
    struct account *account = *at;
    if (account == NULL)
        return NULL;
    *at = account->next;
    account->next = NULL;
    while (*at != NULL)
        at = &(*at)->next;
    *at = account;
    return pop(queue, account);
}

struct ftp_picture *ftp_queue_take(struct ftp_queue *queue)
{
    struct ftp_picture *picture = NULL;
    pthread_mutex_lock(&queue->mu);
    while (!queue->stopped && (queue->undecided >= queue->limits.at_once || (picture = next_picture(queue)) == NULL))
        pthread_cond_wait(&queue->changed, &queue->mu);
    if (picture != NULL) {
        queue->undecided++;
        picture->next = queue->taken;
        queue->taken = picture;
    }
    pthread_mutex_unlock(&queue->mu);
    return picture;
}

void ftp_queue_decided(struct ftp_queue *queue)
{
    pthread_mutex_lock(&queue->mu);
    queue->undecided--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mu);
}

const char *ftp_queue_sidecar(struct ftp_queue *queue, struct ftp_picture *picture)
{
    struct timespec until = clock_deadline(picture->arrived_ms + SIDECAR_WAIT_MS - clock_monotonic_ms());
    struct account *account;
    int late = 0;
    pthread_mutex_lock(&queue->mu);
    while (picture->sidecar == NULL && !queue->stopped && late == 0 && (account = find(queue, picture->user)) != NULL &&
           account->hope > 0)
        late = pthread_cond_timedwait(&queue->changed, &queue->mu, &until);
    if (late != 0 && picture->sidecar == NULL && (account = find(queue, picture->user)) != NULL && account->hope > 0)
        account->hope--;
    const char *sidecar = picture->sidecar;
    pthread_mutex_unlock(&queue->mu);
    return sidecar;
}

void ftp_queue_finish(struct ftp_queue *queue, struct ftp_picture *picture, const char *error)
{
    pthread_mutex_lock(&queue->mu);
    struct ftp_picture **at = &queue->taken;
    struct account *account = find(queue, picture->user);
    if (account != NULL && error != NULL)
        snprintf(account->last_error, sizeof account->last_error, "%s", error);
    while (*at != picture)
        at = &(*at)->next;
    *at = picture->next;
    pthread_mutex_unlock(&queue->mu);
    picture_free(picture);
}

bool ftp_queue_pause(struct ftp_queue *queue, int64_t ms)
{
    struct timespec until = clock_deadline(ms);
    int late = 0;
    pthread_mutex_lock(&queue->mu);
    while (!queue->stopped && late == 0)
        late = pthread_cond_timedwait(&queue->changed, &queue->mu, &until);
    bool going_on = !queue->stopped;
    pthread_mutex_unlock(&queue->mu);
    return going_on;
}

void ftp_queue_state(struct ftp_queue *queue, const char *user, struct ftp_queue_state *out)
{
    *out = (struct ftp_queue_state){0};
    pthread_mutex_lock(&queue->mu);
    for (const struct account *account = queue->accounts; account != NULL; account = account->next) {
        if (user != NULL && strcmp(account->user, user) != 0)
            continue;
        out->pictures += account->pictures;
        out->bytes += account->bytes;
        if (account->last_ms > out->last_ms)
            out->last_ms = account->last_ms;
        if (user != NULL)
            memcpy(out->last_error, account->last_error, sizeof out->last_error);
    }
    pthread_mutex_unlock(&queue->mu);
}
