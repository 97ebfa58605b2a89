/*
 * Instances: what mote keeps about machines, in files under $XDG_DATA_HOME/mote/instances.  All
 * access to that folder is here.
 *
 *     NAME/lock         write-locked (fcntl(2), F_OFD_SETLK) by whoever looks after the instance:
 *                       its supervisor while it lives, a command that starts or removes it.  Held
 *                       means that one lives; the kernel lets go of it whatever ends a process.
 *     NAME/config.json  what was asked for; written once
 *     NAME/state.json   what is: replaced as a whole (rename), by the holder of the lock only
 *     NAME/control      the supervisor's socket (control.h)
 *     NAME/console.log  log_write.h; .1, .2 the older ones
 *     .lock             locked for a moment by whoever makes, renames or removes an instance
 *     .new-*, .old-*    half made, half removed: whoever holds .lock may remove them
 *
 * An instance whose lock nobody holds is not running, whatever its state says.
 */
#pragma once

#include <jansson.h>

#include "cli/options.h"
#include "cli/text.h"

struct instance {
	char name[64];
	int folder; /* -1 = none */
	int lock;   /* -1 = this process does not hold it */
};

#define INSTANCE_NONE ((struct instance){.folder = -1, .lock = -1})

/* Makes one, locked; name NULL = one made up from `like`.  Says what is wrong, also that the name
 * is taken. */
int instance_create(
	const char *name, const char *like, const json_t *config, struct instance *out) must_check;

/* Says when there is none of that name. */
int instance_open(const char *name, struct instance *out) must_check;

/* Silent. */
bool instance_exists(const char *name);

/* Takes the lock; -EBUSY, silently, when another holds it. */
int instance_lock(struct instance *) must_check;

/* Another process holds the lock. */
bool instance_is_alive(const struct instance *);

void instance_close(struct instance *);

/* Removes its files; the lock must be held.  Closes it. */
int instance_remove(struct instance *) must_check;

/* Removes it if it ended and was to be forgotten then, and its supervisor could not do that. */
bool instance_remove_stale(struct instance *);

int instance_rename(struct instance *, const char *name) must_check;

/* The lock must be held. */
int instance_write_state(const struct instance *, const json_t *state) must_check;
int instance_write_config(const struct instance *, const json_t *config) must_check;

/* NULL, silently, when it can not be read. */
json_t *instance_config(const struct instance *);
json_t *instance_state(const struct instance *);

/* All names, sorted; warns of what lies there and is no instance. */
int instance_names(struct string_list *out) must_check;

/* Removes what processes that were killed left half made. */
void instance_sweep(void);
