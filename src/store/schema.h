/* The schema files as text, made at build time by schema/embed.cmake. */
#ifndef AIBOX_STORE_SCHEMA_H
#define AIBOX_STORE_SCHEMA_H

/* Element n takes a database from version n (PRAGMA user_version) to n + 1. */
extern const char *const schema_main[];
extern const int schema_main_version;
extern const char *const schema_pictures[];
extern const int schema_pictures_version;

#endif
