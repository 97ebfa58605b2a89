/*
 * The kernel's messages.  Kept in a ring of the last 64 KB (a crash report shows its end) and, from
 * `log_console_level` up, written through the sink that the console driver hands down.
 * Callable from any context, interrupts included; no locks.  A line is cut at 512 bytes.
 */
#pragma once

#include "kernel/lib/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* One line, without a newline at its end; prefixed with the monotonic time and, on the console,
 * "mote: ". */
void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/* Raw text to the console, whatever the level: reports and traces. */
void log_text(const char *text, size_t len);

/* Write all bytes, never sleep.  Never called twice at a time, but in any context. */
typedef void (*log_sink)(const char *text, size_t len);
void log_set_sink(log_sink sink);
void log_set_console_level(enum log_level level); /* LOG_INFO at start; "quiet" makes it LOG_WARN */

/* In a panic: take the console from who holds it (it may be ourselves) and print what waits. */
void log_break_console(void);

/* Monotonic time for the prefix; 0 until set. */
void log_set_clock(uint64_t (*now_ns)(void));

/* Copy of the ring's last bytes, oldest first; the number copied. */
size_t log_tail(char *buf, size_t size);
