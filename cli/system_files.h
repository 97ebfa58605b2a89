/*
 * The files every Linux program may look for: folders, names of users, hosts and services, the
 * time zone, certificates.  Small, and the same on every host as far as the program lets it be.
 */
#pragma once

#include "cli/closure.h"
#include "cli/manifest.h"

/*
 * from is where host-dependent files are taken from.  time_zone is the program's TZ or NULL.
 * What the manifest has already stays.
 */
void system_files_add(struct manifest *, struct source *from, const struct closure *,
	const char *time_zone, const char *host_name);
