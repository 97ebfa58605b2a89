/* RFC 3339 times. */
#include "cli/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void time_text(int64_t wall_ns, char out[TIME_TEXT_MAX])
{
	time_t seconds = wall_ns / NS_PER_S;
	struct tm parts;

	gmtime_r(&seconds, &parts);
	size_t n = strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);

	snprintf(out + n, TIME_TEXT_MAX - n, ".%09ldZ", (long)(wall_ns % NS_PER_S));
}

/* ".5": 500000000; moves *text behind it. */
static long parse_fraction(const char **text)
{
	long ns = 0, digit = NS_PER_S / 10;

	if (**text != '.')
		return 0;
	for (++*text; **text >= '0' && **text <= '9'; ++*text, digit /= 10)
		ns += digit * (**text - '0');
	return ns;
}

/* "Z", "+01:00" or nothing, behind which the text ends; seconds east of Greenwich. */
static int parse_zone(const char *text, bool *is_local, long *offset)
{
	unsigned hours = 0, minutes = 0;
	int end = 0;

	*is_local = !text[0];
	*offset = 0;
	if (*is_local || strcmp(text, "Z") == 0)
		return 0;
	if ((text[0] != '+' && text[0] != '-') ||
		sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &end) != 2 || text[1 + end] ||
		hours > 23 || minutes > 59)
		return -EINVAL;
	*offset = (long)(hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
	return 0;
}

int time_parse(const char *text, int64_t *wall_ns)
{
	struct tm parts = {.tm_isdst = -1};
	bool is_local = false;
	long offset = 0;
	const char *rest = strptime(text, "%Y-%m-%d", &parts);

	if (rest && (*rest == 'T' || *rest == ' '))
		rest = strptime(rest + 1, "%H:%M:%S", &parts);
	if (!rest)
		return -EINVAL;
	long fraction = parse_fraction(&rest);

	if (parse_zone(rest, &is_local, &offset) < 0)
		return -EINVAL;
	time_t seconds = is_local ? mktime(&parts) : timegm(&parts) - offset;

	*wall_ns = seconds * NS_PER_S + fraction;
	return 0;
}

void duration_text(int64_t ns, char *out, unsigned size)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
	int64_t seconds = ns > 0 ? ns / NS_PER_S : 0;
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].seconds)
		i++;
	int64_t n = seconds / units[i].seconds;

	snprintf(out, size, "%lld %s%s", (long long)n, units[i].name, n == 1 ? "" : "s");
}
