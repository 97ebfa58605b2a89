/*
 * Shipping a log to a syslog server: RFC 5424 messages, over UDP (RFC 5426) or TCP with octet
 * counting (RFC 6587 3.4.1).  Never waits: what the server does not take is kept, up to a
 * megabyte, then the oldest go, and how many is said in a message of its own.
 */
#pragma once

#include "cli/log_write.h"

struct syslog_target {
	bool is_tcp;
	char *host, *port;
};

/* "udp://HOST[:PORT]", "tcp://[::1]:601".  -EINVAL, silently. */
int syslog_parse(const char *text, struct syslog_target *) must_check;
void syslog_target_free(struct syslog_target *);

struct syslog;

/* Looks the host up, which may take a while; says when it is not found. */
int syslog_open(struct loop *, const struct syslog_target *, const char *name,
	struct syslog **out) must_check;

void syslog_add(struct syslog *, enum stream, int64_t wall_ns, const char *line, size_t len);

/* Nothing waits any more. */
bool syslog_is_empty(const struct syslog *);
void syslog_close(struct syslog *);
