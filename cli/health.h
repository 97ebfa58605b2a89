/* Probing a port of the program from this host, again and again. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/loop.h"
#include "cli/report.h"

struct health_check {
	bool is_http;
	uint16_t port;                                     /* the program's */
	char *path;                                        /* of http */
	unsigned interval, timeout, retries, start_period; /* seconds; retries: a number */
};

/* "tcp:PORT", "http:PORT/PATH"; the other fields stay 0.  -EINVAL, silently. */
int health_parse(const char *text, struct health_check *) must_check;
void health_check_free(struct health_check *);

enum health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

extern const char *const health_names[]; /* "" for HEALTH_NONE */

struct health_prober;

/* Starts probing `at`; changed() is told each new state and why. */
struct health_prober *health_start(struct loop *, const struct health_check *,
	const struct sockaddr_in *at, void (*changed)(void *context, enum health, const char *why),
	void *context) must_check;
void health_stop(struct health_prober *);
