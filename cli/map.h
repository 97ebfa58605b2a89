/* A hash table from strings to pointers.  Keys are copied; values belong to the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct map_slot {
	char *key;
	void *value;
};

struct map {
	struct map_slot *slots; /* open addressing; key NULL = free */
	size_t n_slots, n;
};

/* The value kept under key, NULL when there is none. */
void *map_get(const struct map *, const char *key);

bool map_has(const struct map *, const char *key);

/* Keeps value under key in place of what was there. */
void map_put(struct map *, const char *key, void *value);

/* As map_put() with no value; false when the key was there already. */
bool map_add(struct map *, const char *key);

void map_free(struct map *);
