/*
 * The program in a machine as a debugger sees it: requests of abi/debug.h over the host channel,
 * each waited for.  Frames that come meanwhile go to the channel's handler as always, which passes
 * those of debugging on to target_frame().
 */
#pragma once

#include <stdbool.h>

#include "abi/debug.h"
#include "cli/channel.h"

struct target {
	struct channel *channel;
	uint32_t last_id;
	/* The reply that is waited for: */
	uint32_t awaited;
	bool has_reply;
	int32_t result;
	uint8_t data[DEBUG_DATA_MAX + 64];
	size_t data_len;
	/* The event that nobody has looked at: */
	bool has_event;
	struct debug_event event;
};

/* A CHANNEL_DEBUG_REPLY or CHANNEL_DEBUG_EVENT; true: it was one. */
bool target_frame(struct target *, unsigned kind, const void *content, size_t len);

/* All: the operation's result, or -Exxx; -ENOTCONN: the machine is gone. */
int target_attach(struct target *, unsigned flags) must_check;
int target_detach(struct target *) must_check;
int target_stop(struct target *) must_check;
int target_kill(struct target *) must_check;
int target_sync(struct target *) must_check;
/* rest: what threads that are not named do. */
int target_resume(struct target *, const struct debug_action *, size_t n, unsigned rest) must_check;
/* Into t->data: struct debug_thread[]; how many. */
int target_threads(struct target *) must_check;
/* Into t->data: struct debug_registers and what follows it. */
int target_registers(struct target *, uint32_t tid) must_check;
int target_set_registers(struct target *, uint32_t tid, const void *, size_t len) must_check;
/* Bytes read, perhaps fewer than len. */
int target_read(struct target *, uint64_t address, void *to, size_t len) must_check;
/* A byte for each of n pages (at most DEBUG_DATA_MAX) from address on: not 0 when it is in memory. */
int target_resident(struct target *, uint64_t address, uint32_t n, uint8_t *to) must_check;
int target_watch(struct target *, const struct debug_watch watches[DEBUG_WATCHES]) must_check;
int target_write(struct target *, uint64_t address, const void *, size_t len) must_check;
int target_read_file(
	struct target *, const char *path, uint64_t offset, void *to, size_t len) must_check;
int target_read_link(struct target *, const char *path, char *to, size_t size) must_check;
