/*
 * Images made before, found again by what they were asked to hold (request.h) as long as every
 * file they were made from is unchanged.  Several motes may use it at a time.
 */
#pragma once

#include "cli/request.h"

struct cached_image {
	char *path;
	int fd; /* holds the image in the cache while it is open */
	struct launch launch;
};

enum {
	CACHE_REBUILD = 1, /* make it anew even if there is one */
};

/* The image for a request, made now if needed.  Says what failed, as request_gather() does. */
int cache_get(const struct request *, unsigned flags, struct cached_image *out) must_check;
void cached_image_free(struct cached_image *);
