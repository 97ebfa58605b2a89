/*
 * A traced call as it came over the host channel (abi/channel.h).  Checked once when it arrives:
 * the machine is not trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"

struct trace_call {
	const struct trace_record *record;
	const uint8_t *pieces; /* as many as the record says, all within its bytes */
};

/* The content of a CHANNEL_TRACE frame, 8-byte aligned; false: it is none. */
bool trace_record_open(const void *content, size_t len, struct trace_call *out);

/* The program's memory as the current call left it: n bytes at address; -1: they did not come.
 * Current is the call of the last trace_record_use(); only_before: what the call found. */
void trace_record_use(const struct trace_call *call, bool only_before);
int trace_copy(void *to, uint64_t address, size_t n);
/* Up to the NUL: the length; -1. */
long trace_string(char *to, uint64_t address, size_t size);
/* The path behind a descriptor, not terminated; NULL: not known. */
const char *trace_descriptor_path(int fd, size_t *len);
