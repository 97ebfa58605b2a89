/* One bar at a time; drawn at most ten times a second, and not in the first second. */
#include "cli/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 40
#define FIRST_AFTER_NS 1000000000LL
#define AGAIN_AFTER_NS 100000000LL

static struct {
	const char *what;
	uint64_t total, done;
	int64_t next_draw_ns;
	bool on_screen;
} bar;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void progress_start(const char *what, uint64_t total)
{
	bar.what = what;
	bar.total = total ? total : 1;
	bar.done = 0;
	bar.on_screen = false;
	bar.next_draw_ns = isatty(STDERR_FILENO) ? now_ns() + FIRST_AFTER_NS : INT64_MAX;
}

static void draw(void)
{
	static const char full[] = "########################################";
	unsigned percent = (unsigned)(bar.done >= bar.total ? 100 : bar.done * 100 / bar.total);
	int filled = (int)(percent * BAR_WIDTH / 100);

	fprintf(stderr, "\r%s [%.*s%*s] %3u%%", bar.what, filled, full, BAR_WIDTH - filled, "",
		percent);
	fflush(stderr);
	bar.on_screen = true;
}

void progress_advance(uint64_t amount)
{
	bar.done += amount;
	if (bar.next_draw_ns == INT64_MAX || !bar.what)
		return;
	int64_t now = now_ns();

	if (now < bar.next_draw_ns)
		return;
	draw();
	bar.next_draw_ns = now + AGAIN_AFTER_NS;
}

void progress_clear(void)
{
	if (!bar.on_screen)
		return;
	fprintf(stderr, "\r\033[K");
	fflush(stderr);
	bar.on_screen = false;
}

void progress_end(void)
{
	progress_clear();
	bar.what = NULL;
	bar.next_draw_ns = INT64_MAX;
}
