/*
 * What the machine is asked to do: the command line it was started with, over the defaults baked into the image
 * (abi/boot.h, abi/image.h).
 */
#pragma once

#include "kernel/lib/base.h"

/* A growing list of strings of its own. */
struct string_list {
	char **items;
	unsigned n;
};

struct options {
	char *root;                     /* root=; NULL: the first disk */
	char *init;                     /* init= */
	char *argv0;                    /* mote.argv0= */
	char *working_directory;        /* mote.cwd= */
	char *ip;                       /* ip= */
	char *console;                  /* console= */
	struct string_list arguments;   /* after "--" */
	struct string_list environment; /* NAME=VALUE */
	struct string_list virtio_mmio; /* values of virtio_mmio.device= */
	struct string_list mounts;      /* values of mote.mount= */
	bool has_arguments;             /* there was a "--" */
	char *trace, *allow;            /* mote.trace=, mote.allow= */
	unsigned trace_size;            /* mote.trace-size= */
	bool trace_paths;               /* mote.trace-paths */
	bool allow_or_end;              /* mote.allow-or-end */
	bool count_calls;               /* mote.count-calls */
	bool quiet, in_place, missing_files;
	bool channel;  /* mote.channel */
	bool debug;    /* mote.debug */
	bool control;  /* mote.control */
	bool terminal; /* mote.tty */
	uint8_t seed[32];
	unsigned seed_len;
};

/* Read a command line.  -ENOMEM; -EINVAL for words that make no sense (told once on the console). */
int options_parse(struct options *o, const char *command_line) must_check;
/* The image's defaults below what o already says.  -ENOMEM. */
int options_add_defaults(struct options *o, const char *command_line) must_check;
