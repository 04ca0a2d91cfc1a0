/* Writes the seeds of fuzz_archive: archive_seeds <folder> */
#include <stdio.h>
#include <stdlib.h>

#include "zips.h"

static const struct zips_entry photos[] = {
    {.name = "a/Ann-1-lab-2-card-text.jpg", .flags = ZIPS_UTF8, .content = "x"},
    {.name = "\xd0\xa1\xd5\xd4-7.png", .content = "y"},
    {.name = "Bo-3-#2.webp", .zeros = 1000},
    {.name = "__MACOSX/._Bo-3.jpg", .content = ""},
    {.name = "folder/", .content = ""},
};
static const struct zips_entry table[] = {
    {.name = "x/people.csv",
     .content = "identity_id;name;photo;group_name;permission_ids;type;info;mobile\n"
                "1;\"A; b\";p.jpg,q.jpg;g,h;[\"d\"];5;\"{\"\"ext_info\"\": {\"\"a\"\": 1}}\";12\n"},
    {.name = "x/p.jpg", .content = "x"},
    {.name = "y/q.jpg", .zeros = 100},
    {.name = "labels.json", .content = "{\"groups\": []}"},
};
static const struct zips_entry encrypted[] = {
    {.name = "a-1.jpg", .flags = ZIPS_ENCRYPTED, .content = "xxxxxxxxxxxxxx"}};

static void keep(const char *folder, const char *name, struct buffer *bytes)
{
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (!file || fwrite(bytes->data, 1, bytes->size, file) != bytes->size || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    buffer_free(bytes);
}

int main(int argc, char **argv)
{
    struct buffer bytes;

    if (argc != 2)
        return EXIT_FAILURE;
    buffer_init(&bytes, 65536);
    zips_make(&bytes, photos, sizeof photos / sizeof photos[0]);
    keep(argv[1], "photos", &bytes);
    zips_make(&bytes, table, sizeof table / sizeof table[0]);
    keep(argv[1], "table", &bytes);
    zips_make(&bytes, encrypted, 1);
    keep(argv[1], "encrypted", &bytes);
    zips_claim(&bytes, 3, 138);
    keep(argv[1], "claim", &bytes);
    return EXIT_SUCCESS;
}
