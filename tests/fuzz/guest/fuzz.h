/* What the parts of the fuzzer of system calls share. */
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ARENA (64 * 1024)
#define ZONE (4ul << 20)
#define THREADS_MAX 16
#define FIRST_FD 3

struct call {
	const char *name;
	int number;
	const char *signature;
};

struct thread {
	pthread_t id;
	uint64_t random;
	unsigned number;
	uint8_t *arena;     /* ARENA bytes, then nothing */
	uint8_t *read_only; /* a page */
	uint8_t *before;    /* the arena when the call began */
	uint8_t *zone;  /* ZONE bytes for mmap and its kin, then as much that nobody may touch */
	uint8_t *stack; /* of brief threads, then of signals */
	bool looking;   /* at what it writes: no wild words in what it reads */
	bool touching;  /* the zone: a fault comes back to `fault` */
	sigjmp_buf fault;
	_Atomic int tid;
	atomic_uint n_calls;
	atomic_bool done;
	/* The call under way. */
	const struct call *_Atomic call;
	long args[6];
};

extern struct thread threads[THREADS_MAX];
extern unsigned n_threads;

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);
uint64_t draw(struct thread *t);
unsigned below(struct thread *t, unsigned n);
long hostile(struct thread *t);
long pointer(struct thread *t);
long number(struct thread *t);
/* Draws `c`'s arguments from its signature into t->args. */
void fill_arguments(struct thread *t, const struct call *c);

/* --- tamed.c --- */

enum tamed {
	TAMED_OPEN,    /* as drawn */
	TAMED_OUT,     /* never */
	TAMED_BRIEF,   /* only in a brief thread */
	TAMED_PARTING, /* changes the process for good: in the last round, in a brief thread */
};
enum tamed tamed_kind(const char *name);

/* Changes the arguments drawn so that the program, its threads and its console outlive the call. */
void tame(struct thread *t, const struct call *c);
/* Undoes what the call left, so that the next ones find the same world. */
void tame_after(struct thread *t, const struct call *c, long result);
/* A thread that makes `first` and a few other calls, and is gone when this returns. */
void brief_thread(
	struct thread *t, const struct call *first, const struct call *(*other)(struct thread *t));
/* A fresh zone, and faults of the processor's in it. */
void zone_prepare(struct thread *t);
void zone_touch(struct thread *t);
/* Handlers of all signals that a program may have. */
void signals_prepare(void);
