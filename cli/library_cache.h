/* /etc/ld.so.cache, as glibc's ldconfig writes it: which file a library's name stands for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/text.h"

/* Adds every path the cache has for name on this ELF machine, the best first.  Damage reads as
 * fewer entries. */
void library_cache_find(const char *cache, size_t len, uint16_t machine, const char *name,
	struct string_list *paths);
