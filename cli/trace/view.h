/*
 * mote trace's output: records of the host channel as strace shows calls, or their sums.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/text.h"

enum trace_stamps {
	STAMPS_NONE,
	STAMPS_SECONDS,
	STAMPS_MICROSECONDS,
	STAMPS_EPOCH,
	STAMPS_RELATIVE
};

struct trace_options {
	enum trace_stamps stamps;          /* -t, -tt, -ttt, -r */
	bool durations;                    /* -T */
	bool summary;                      /* -c: only sums; with summary_too also each call */
	bool summary_too;                  /* -C */
	bool only_failed, only_successful; /* -Z, -z */
	bool paths;                        /* -y */
	unsigned data_size;                /* -s; 0: as usual */
	char *output;                      /* -o; NULL: stderr */
	struct string_list expressions;    /* -e */
	char *profile;                     /* file for the names of the calls made; NULL: none */
};
void trace_options_free(struct trace_options *);

/* The words of mote.trace= for -e trace=... and its kin: "syscall" for all; -EINVAL, reported. */
int trace_selection(const struct string_list *expressions, char **out) must_check;
/* The list of a file of system call names, one per line, # comments: as mote.allow= takes it. */
int trace_read_names(const char *path, char **out) must_check;

struct trace_view;
/* -ENOENT and kin, reported: the output cannot be written. */
int trace_view_open(const struct trace_options *, struct trace_view **out) must_check;
/* One frame; content 8-byte aligned. */
void trace_view_frame(struct trace_view *, unsigned kind, const void *content, size_t len);
/* The sums, if they are wanted; frees it. */
void trace_view_close(struct trace_view *);

/* How the program ended: a status, a signal. */
void trace_view_exited(struct trace_view *, int status);
void trace_view_killed(struct trace_view *, int signal);
