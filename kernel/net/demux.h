/*
 * TCP conversations by their addresses and ports.  A table in 64 stripes, each with a lock and a hash table of its
 * own that doubles when it fills: the cost of a packet does not depend on how many connections there are.
 */
#pragma once

#include "kernel/net/address.h"

enum demux_kind { DEMUX_CONNECTION, DEMUX_REQUEST, DEMUX_TIME_WAIT };

/* Embedded in what is found. */
struct demux_entry {
	struct demux_entry *next; /* under its stripe's lock */
	uint32_t hash;
	uint8_t kind;
	bool in_table;           /* under its stripe's lock */
	atomic_uint *references; /* of the object */
	struct flow flow;        /* fixed while in the table */
};

/* Sets the hash.  Being in the table is worth one reference, the caller's to
 * give; who gets true from remove or replace gives it back. -EADDRINUSE: that flow is taken;
 * -ENOMEM. */
int demux_insert(struct demux_entry *e) must_check;
/* new takes old's place, with the same flow; false: old was not there any more, nothing happened. */
bool demux_replace(struct demux_entry *old, struct demux_entry *new) must_check;
/* False: was not there. */
bool demux_remove(struct demux_entry *e);
/* With a reference; NULL. */
struct demux_entry *demux_find(const struct flow *f);
bool demux_taken(const struct flow *f);
/* Each entry, under the lock of its stripe. */
void demux_each(void (*each)(void *arg, struct demux_entry *e), void *arg);
/* How many there are of each kind. */
void demux_count(unsigned counts[3]);
