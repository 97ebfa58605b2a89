/* Reading what log_write.h wrote, oldest file first, also while it grows and is rotated. */
#pragma once

#include "cli/log_write.h"

struct log_entry {
	int64_t wall_ns;
	enum stream stream;
	bool is_part; /* the line goes on in the next entry of this stream */
	const char *text;
	size_t len;
};

struct log_reader;

/* `folder` stays the caller's. */
struct log_reader *log_reader_open(int folder) must_check;

/* 1: an entry, valid until the next call; 0: there is no more now.  Lines that make no sense (a
 * supervisor was killed in the middle of one) come as they are, at the time of the one before. */
int log_read(struct log_reader *, struct log_entry *);
void log_reader_close(struct log_reader *);
