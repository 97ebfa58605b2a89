/* A turn is one poll(2). */
#include "cli/loop.h"

#include <poll.h>
#include <stdlib.h>

#include "cli/clock.h"
#include "cli/memory.h"

void loop_watch(struct loop *l, struct watch *w)
{
	w->next = l->watches;
	l->watches = w;
}

void loop_unwatch(struct loop *l, struct watch *w)
{
	struct watch **at = &l->watches;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	for (size_t i = 0; i < l->n_polled; i++)
		if (l->polled[i] == w)
			l->polled[i] = NULL;
}

void loop_add_timer(struct loop *l, struct timer *t)
{
	t->next = l->timers;
	l->timers = t;
}

void loop_remove_timer(struct loop *l, struct timer *t)
{
	struct timer **at = &l->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
}

void timer_set_ms(struct timer *t, int64_t ms)
{
	t->at_ns = clock_now_ns() + ms * NS_PER_MS;
}

static int wait_ms(const struct loop *l)
{
	int64_t first = INT64_MAX;

	for (const struct timer *t = l->timers; t; t = t->next)
		if (t->at_ns && t->at_ns < first)
			first = t->at_ns;
	if (first == INT64_MAX)
		return -1;
	int64_t left = first - clock_now_ns();

	if (left <= 0)
		return 0;
	return left > 3600 * NS_PER_S ? 3600000 : (int)(left / NS_PER_MS + 1);
}

/* Any of them may remove any other: from the start after each. */
static void fire_timers(struct loop *l)
{
	int64_t now = clock_now_ns();
	struct timer *t = l->timers;

	while (t) {
		if (!t->at_ns || t->at_ns > now) {
			t = t->next;
			continue;
		}
		t->at_ns = 0;
		t->fire(t->context);
		t = l->timers;
	}
}

void loop_turn(struct loop *l)
{
	size_t n = 0, i = 0;

	for (const struct watch *w = l->watches; w; w = w->next)
		n++;
	struct pollfd *fds = memory_new(n, sizeof(fds[0]));

	l->polled = memory_new(n, sizeof(l->polled[0]));
	for (struct watch *w = l->watches; w; w = w->next, i++) {
		l->polled[i] = w;
		fds[i] = (struct pollfd){w->is_off ? -1 : w->fd, w->events, 0};
	}
	l->n_polled = n;
	int found = poll(fds, n, wait_ms(l));

	fire_timers(l);
	for (i = 0; found > 0 && i < n; i++)
		if (fds[i].revents && l->polled[i])
			l->polled[i]->ready(l->polled[i]->context, fds[i].revents);
	free(fds);
	free(l->polled);
	l->polled = NULL;
	l->n_polled = 0;
}
