/* How a machine ended: told apart, in words for people, programs and scripts. */
#pragma once

#include <jansson.h>

#include "cli/report.h"

enum end {
	END_EXITED, /* the program's exit status */
	END_SIGNAL, /* a signal ended the program */
	END_MEMORY, /* it ran out of memory */
	END_PANIC,  /* the kernel's own mistake */
	END_FAILED, /* it could not be started: the text says why */
	END_KILLED, /* mote ended the machine: it was asked to, or it took too long to stop */
	END_HOST,   /* anything else: the engine, this host */
};

struct ending {
	enum end end;
	int number;     /* exit status or signal */
	int status;     /* mote's exit status */
	char text[256]; /* for END_FAILED and END_HOST */
};

/* From the status record's line (abi/boot.h), without the newline. */
struct ending ending_of_record(const char *record);
struct ending ending_of_kill(int signal);
struct ending ending_of_host(const char *format, ...) printf_like(1, 2);

/* Says, on stderr, what the exit status alone does not say. */
void ending_report(const struct ending *, const char *program);

/* "exited (3)", "killed by signal 11", "out of memory", ... */
void ending_text(const struct ending *, char *out, size_t size);

json_t *ending_json(const struct ending *);
struct ending ending_from_json(const json_t *); /* anything strange: END_HOST */
