/* What addresses of a running program mean: its mappings, the files behind them, their symbols; and the kernel's. */
#pragma once

#include "cli/debug/target.h"
#include "cli/text.h"

struct objects;

/* files_are_here: what the program maps are files of this host, as it sees them. */
struct objects *objects_new(struct target *, bool files_are_here);
void objects_free(struct objects *);

/* Reads the program's mappings again; those that are gone stay known. */
void objects_refresh(struct objects *);
/* No mapping holds it. */
bool objects_lack(const struct objects *, uint64_t address);
/* The name of the function, or of the file in brackets when it has none there; for a return address the caller
 * gives the byte before it. */
void objects_name(struct objects *, uint64_t address, struct text *out);
void objects_name_kernel(struct objects *, uint64_t address, struct text *out);
