/* Open addressing, linear probing, never more than half full; nothing is ever removed. */
#include "cli/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"

static size_t hash(const char *key)
{
	uint64_t h = 14695981039346656037ULL; /* FNV-1a */

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211ULL;
	return (size_t)(h ^ h >> 32);
}

static struct map_slot *find(const struct map *m, const char *key)
{
	size_t i = hash(key) & (m->n_slots - 1);

	while (m->slots[i].key && strcmp(m->slots[i].key, key) != 0)
		i = (i + 1) & (m->n_slots - 1);
	return &m->slots[i];
}

static void grow(struct map *m)
{
	struct map bigger = {.n_slots = m->n_slots ? m->n_slots * 2 : 64, .n = m->n};

	bigger.slots = memory_new(bigger.n_slots, sizeof(bigger.slots[0]));
	for (size_t i = 0; i < m->n_slots; i++)
		if (m->slots[i].key)
			*find(&bigger, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

void *map_get(const struct map *m, const char *key)
{
	return m->n_slots ? find(m, key)->value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return m->n_slots && find(m, key)->key;
}

void map_put(struct map *m, const char *key, void *value)
{
	if (m->n * 2 >= m->n_slots)
		grow(m);
	struct map_slot *slot = find(m, key);

	if (!slot->key) {
		slot->key = memory_string(key);
		m->n++;
	}
	slot->value = value;
}

bool map_add(struct map *m, const char *key)
{
	if (map_has(m, key))
		return false;
	map_put(m, key, NULL);
	return true;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->n_slots; i++)
		free(m->slots[i].key);
	free(m->slots);
	*m = (struct map){0};
}
