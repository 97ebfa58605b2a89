/*
 * The format of glibc's sysdeps/generic/dl-cache.h since 2.2, alone or behind the older format's
 * table.  Entries for CPUs better than the baseline are passed over: the image may run on another
 * machine than this one.
 */
#include "cli/library_cache.h"

#include <elf.h>
#include <string.h>

#define OLD_MAGIC "ld.so-1.7.0"
#define NEW_MAGIC "glibc-ld.so.cache1.1"

#define FLAG_TYPE_MASK 0x00ff
#define FLAG_ELF_LIBC6 0x0003
#define FLAG_X86_64 0x0300
#define FLAG_AARCH64 0x0a00

struct old_header {
	char magic[12];
	uint32_t n_entries;
};

struct header {
	char magic[20];
	uint32_t n_entries, strings_len;
	uint8_t flags, padding[3];
	uint32_t extension_offset, unused[3];
};

struct entry {
	int32_t flags;
	uint32_t key, value; /* offsets of strings from the header's start */
	uint32_t os_version;
	uint64_t hardware;
};

/* The start of the header of the newer format; NULL when there is none. */
static const char *find_header(const char *cache, size_t len)
{
	struct old_header old;
	size_t at = 0;

	if (len >= sizeof(old) && memcmp(cache, OLD_MAGIC, sizeof(OLD_MAGIC) - 1) == 0) {
		memcpy(&old, cache, sizeof(old));
		at = sizeof(old) + (size_t)old.n_entries * 12;
		at = (at + 7) & ~(size_t)7;
	}
	if (at > len || len - at < sizeof(struct header))
		return NULL;
	return memcmp(cache + at, NEW_MAGIC, sizeof(NEW_MAGIC) - 1) == 0 ? cache + at : NULL;
}

static int wanted_flags(uint16_t machine)
{
	return machine == EM_X86_64 ? FLAG_X86_64 : machine == EM_AARCH64 ? FLAG_AARCH64 : 0;
}

static const char *string_at(const char *base, size_t len, uint32_t offset)
{
	if (offset >= len || !memchr(base + offset, 0, len - offset))
		return NULL;
	return base + offset;
}

void library_cache_find(const char *cache, size_t len, uint16_t machine, const char *name,
	struct string_list *paths)
{
	const char *base = find_header(cache, len);

	if (!base)
		return;
	struct header h;
	size_t left = len - (size_t)(base - cache);

	memcpy(&h, base, sizeof(h));
	for (size_t i = 0; i < h.n_entries; i++) {
		struct entry e;
		size_t at = sizeof(h) + i * sizeof(e);

		if (at + sizeof(e) > left)
			return;
		memcpy(&e, base + at, sizeof(e));
		const char *key = string_at(base, left, e.key);
		const char *value = string_at(base, left, e.value);

		if (!key || !value || e.hardware || strcmp(key, name) != 0)
			continue;
		if ((e.flags & FLAG_TYPE_MASK) == FLAG_ELF_LIBC6 &&
			(e.flags & 0xff00) == wanted_flags(machine))
			list_add(paths, value);
	}
}
