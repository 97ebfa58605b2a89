/* Docker's policies. */
#include "cli/restart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 60000

int restart_parse(const char *text, struct restart_policy *p)
{
	static const char limited[] = "on-failure:";

	*p = (struct restart_policy){0};
	if (!text || strcmp(text, "no") == 0)
		return 0;
	if (string_starts(text, limited)) {
		char *end = NULL;
		unsigned long n = strtoul(text + strlen(limited), &end, 10);

		if (*end || end == text + strlen(limited) || text[strlen(limited)] == '-' || !n ||
			n > 1000000)
			return -EINVAL;
		p->most = (unsigned)n;
		p->when = RESTART_ON_FAILURE;
		return 0;
	}
	p->when = strcmp(text, "always") == 0         ? RESTART_ALWAYS
		  : strcmp(text, "on-failure") == 0   ? RESTART_ON_FAILURE
		  : strcmp(text, "on-unhealthy") == 0 ? RESTART_ON_UNHEALTHY
						      : RESTART_NO;
	return p->when == RESTART_NO ? -EINVAL : 0;
}

bool restart_wanted(const struct restart_policy *p, const struct ending *e, unsigned n_restarts)
{
	switch (p->when) {
	case RESTART_NO:
		return false;
	case RESTART_ALWAYS:
		return true;
	default:
		return e->status != 0 && (!p->most || n_restarts < p->most);
	}
}

int64_t restart_delay_ms(unsigned failures)
{
	int64_t ms = DELAY_FIRST_MS;

	for (unsigned i = 0; i < failures && ms < DELAY_MAX_MS; i++)
		ms *= 2;
	return ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS;
}
