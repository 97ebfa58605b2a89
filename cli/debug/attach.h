/* Getting at the host channel of an instance that runs. */
#pragma once

#include "cli/debug/target.h"
#include "cli/instance.h"

/* Opens the instance called name and its channel into t; on_frame gets what is not debugging's, NULL: it
 * is dropped.  Says why it can not. */
int attach_open(const char *name, struct target *t,
	void (*on_frame)(void *owner, unsigned kind, const void *content, size_t len),
	void *owner) must_check;
void attach_close(struct target *t);
