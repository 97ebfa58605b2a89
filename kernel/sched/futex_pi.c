/*
 * Priority inheriting futexes (futex(2), "Priority-inheritance futexes").
 *
 * The word says who owns the lock; who waits hangs here, the most urgent first.  Unlocking with waiters hands the
 * word over to the first of them.  The word is changed under a sleeping lock of the futex's shard, since touching it
 * may fault: these are the contended paths, the others never enter the kernel.
 *
 * All waiters of one futex agree on `owner`, the tid that was in the word when they came.
 */
#include "abi/linux/errno.h"
#include "abi/linux/sched.h"
#include "kernel/sched/futex_queue.h"
#include "kernel/sched/lock.h"

#define N_SHARDS 16u

static struct shard {
	struct mutex lock;
	struct list waiters; /* under lock */
} shards[N_SHARDS];

struct pi_waiter {
	struct list link; /* under its shard's lock, like the rest */
	struct futex_key key;
	user_addr word;
	struct thread *thread;
	int owner;
	bool queued;
	atomic_bool granted;
};

static atomic_uint n_waiting; /* or about to: raised before the owner is looked for */
static bool (*living)(int tid);

void futex_pi_set_living(bool (*is_living)(int tid))
{
	living = is_living;
}

const struct futex_key *pi_waiter_key(const struct pi_waiter *w)
{
	return &w->key;
}

static void init_shards(void)
{
	static struct spinlock once;
	static bool done;
	irq_state state = spin_lock(&once);
	for (unsigned i = 0; !done && i < N_SHARDS; i++) {
		mutex_init(&shards[i].lock);
		list_init(&shards[i].waiters);
	}
	done = true;
	spin_unlock(&once, state);
}

static struct shard *lock_shard(unsigned i)
{
	static atomic_bool ready;
	if (unlikely(!atomic_load(&ready))) {
		init_shards();
		atomic_store(&ready, true);
	}
	mutex_lock(&shards[i].lock);
	return &shards[i];
}

static struct shard *lock_key(const struct futex_key *k)
{
	uint64_t hash = (k->word[0] ^ k->word[1] << 32) * 0x9e3779b97f4a7c15ull;
	return lock_shard((unsigned)(hash >> 60));
}

static void unlock_shard(struct shard *s)
{
	mutex_unlock(&s->lock);
}

/* --- under the shard's lock --- */

static struct pi_waiter *first_waiter(struct shard *s, const struct futex_key *k)
{
	struct pi_waiter *w;
	list_for_each (w, &s->waiters, link)
		if (futex_same_key(&w->key, k))
			return w;
	return NULL;
}

/* Behind those as urgent. */
static void insert(struct shard *s, struct pi_waiter *w, int owner)
{
	struct pi_waiter *other;
	list_for_each (other, &s->waiters, link)
		if (thread_rank(other->thread) < thread_rank(w->thread))
			break;
	list_insert(other->link.prev, &other->link, &w->link);
	w->owner = owner;
	w->queued = true;
}

static void withdraw(struct pi_waiter *w)
{
	list_remove(&w->link);
	w->queued = false;
}

static void grant(struct pi_waiter *w)
{
	atomic_store(&w->granted, true);
	thread_wake(w->thread);
}

/* What the word becomes when the thread finds that value; -Exxx when it can not be. */
static int next_value(struct shard *s, const struct pi_waiter *w, uint32_t value, uint32_t *next)
{
	int owner = (int)(value & FUTEX_TID_MASK);
	const struct pi_waiter *other = first_waiter(s, &w->key);
	if (owner == w->thread->tid)
		return -EDEADLK;
	if (other && other->owner != owner)
		return -EINVAL;
	*next = owner ? value | FUTEX_WAITERS
		      : (value & FUTEX_OWNER_DIED) | (uint32_t)w->thread->tid;
	return 0;
}

#define MUST_WAIT 1

/* Take the lock for w's thread.  0; MUST_WAIT: it belongs to *owner, and the word says that somebody waits. */
static int claim(struct shard *s, const struct pi_waiter *w, int *owner)
{
	uint32_t value = 0, next = 0, seen = 0;
	int err = user_load_u32(w->word, &value);
	for (; err == 0; value = seen) {
		err = next_value(s, w, value, &next);
		if (err == 0)
			err = user_exchange_u32(w->word, value, next, &seen);
		if (err == 0 && seen == value)
			break;
	}
	*owner = (int)(value & FUTEX_TID_MASK);
	if (err < 0 || !*owner)
		return err;
	/* Whoever ends after this finds us among the waiters. */
	if (!first_waiter(s, &w->key) && living && !living(*owner))
		return -ESRCH;
	return MUST_WAIT;
}

/* The word goes from value to the first waiter; *seen is what was there. */
static int hand_over(
	struct shard *s, struct pi_waiter *w, uint32_t value, uint32_t extra, uint32_t *seen)
{
	int tid = w->thread->tid;
	int err = user_exchange_u32(w->word, value, (uint32_t)tid | FUTEX_WAITERS | extra, seen);
	if (err < 0 || *seen != value)
		return err;
	withdraw(w);
	struct pi_waiter *other;
	list_for_each (other, &s->waiters, link)
		if (futex_same_key(&other->key, &w->key))
			other->owner = tid;
	grant(w);
	return 0;
}

/* --- locking --- */

static int pi_waiter_init(struct pi_waiter *w, user_addr word, unsigned key_kind)
{
	*w = (struct pi_waiter){.word = word, .thread = thread_current()};
	list_init(&w->link);
	return futex_key_of(word, key_kind, &w->key);
}

/* Nobody hands it anything any more; whether it has the lock. */
static bool settle(struct pi_waiter *w)
{
	struct shard *s = lock_key(&w->key);
	if (w->queued)
		withdraw(w);
	unlock_shard(s);
	return atomic_load(&w->granted);
}

int futex_pi_lock(user_addr word, unsigned key_kind, uint64_t deadline_ns)
{
	struct pi_waiter w;
	int owner, err = pi_waiter_init(&w, word, key_kind);
	if (err < 0)
		return err;
	atomic_fetch_add(&n_waiting, 1);
	struct shard *s = lock_key(&w.key);
	err = claim(s, &w, &owner);
	if (err == MUST_WAIT)
		insert(s, &w, owner);
	unlock_shard(s);
	if (err == MUST_WAIT) {
		for (err = 0; err == 0 && !atomic_load(&w.granted);)
			err = thread_block_interruptible(deadline_ns);
		err = settle(&w) ? 0 : err;
	}
	atomic_fetch_sub(&n_waiting, 1);
	return err;
}

int futex_pi_try_lock(user_addr word, unsigned key_kind)
{
	struct pi_waiter w;
	int owner, err = pi_waiter_init(&w, word, key_kind);
	if (err < 0)
		return err;
	struct shard *s = lock_key(&w.key);
	err = claim(s, &w, &owner);
	unlock_shard(s);
	return err == MUST_WAIT ? -EAGAIN : err;
}

int futex_pi_unlock(user_addr word, unsigned key_kind)
{
	struct futex_key k;
	uint32_t value = 0, seen = 0;
	int err = futex_key_of(word, key_kind, &k);
	if (err < 0)
		return err;
	struct shard *s = lock_key(&k);
	err = user_load_u32(word, &value);
	for (; err == 0; value = seen) {
		struct pi_waiter *w = first_waiter(s, &k);
		if ((int)(value & FUTEX_TID_MASK) != thread_current()->tid)
			err = -EPERM;
		else if (w && w->owner != thread_current()->tid)
			err = -EINVAL;
		else
			err = w ? hand_over(s, w, value, 0, &seen)
				: user_exchange_u32(word, value, 0, &seen);
		if (err == 0 && seen == value)
			break;
	}
	unlock_shard(s);
	return err;
}

/* --- from a plain futex onto one of these --- */

int futex_wait_requeue_pi(
	user_addr word, user_addr to, unsigned key_kind, uint32_t expected, uint64_t deadline_ns)
{
	struct pi_waiter pi;
	struct futex_waiter w = {.mask = ~0u, .thread = thread_current(), .requeue = &pi};
	int err = pi_waiter_init(&pi, to, key_kind);
	if (err == 0)
		err = futex_key_of(word, key_kind, &w.key);
	if (err == 0 && futex_same_key(&w.key, &pi.key))
		err = -EINVAL;
	if (err < 0)
		return err;
	atomic_fetch_add(&n_waiting, 1);
	futex_enqueue(&w);
	uint32_t value = 0;
	err = user_load_u32(word, &value);
	if (err == 0 && value != expected)
		err = -EAGAIN;
	while (err == 0 && !atomic_load(&pi.granted))
		err = thread_block_interruptible(deadline_ns);
	/* Once moved, a signal can not begin the call again: the plain word has changed meanwhile. */
	if (futex_dequeue(&w))
		err = settle(&pi) ? 0 : err == -EINTR ? -EAGAIN : err;
	atomic_fetch_sub(&n_waiting, 1);
	return err;
}

/* Move one; 0: nobody waits. */
static int move_one(struct shard *s, const struct futex_key *from, const struct futex_key *to)
{
	struct futex_waiter *w;
	int owner, err = futex_take_first(from, to, &w);
	if (err < 0 || !w)
		return err;
	err = claim(s, w->requeue, &owner);
	if (err == 0)
		grant(w->requeue);
	else if (err == MUST_WAIT)
		insert(s, w->requeue, owner);
	else
		futex_enqueue(w);
	return err < 0 ? err : 1;
}

int futex_requeue_pi(
	user_addr from, user_addr to, unsigned key_kind, unsigned n_move, uint32_t expected)
{
	struct futex_key a, b;
	uint32_t value = 0;
	int err = futex_key_of(from, key_kind, &a);
	if (err == 0)
		err = futex_key_of(to, key_kind, &b);
	if (err == 0)
		err = futex_same_key(&a, &b) ? -EINVAL : user_load_u32(from, &value);
	if (err < 0)
		return err;
	if (value != expected)
		return -EAGAIN;
	int n = 0, moved = 1;
	struct shard *s = lock_key(&b);
	while (moved > 0 && (n == 0 || (unsigned)(n - 1) < n_move)) {
		moved = move_one(s, &a, &b);
		n += moved > 0;
	}
	unlock_shard(s);
	return moved < 0 && n == 0 ? moved : n;
}

/* --- the end of an owner --- */

static struct pi_waiter *first_of_owner(struct shard *s, int tid)
{
	struct pi_waiter *w;
	list_for_each (w, &s->waiters, link)
		if (w->owner == tid)
			return w;
	return NULL;
}

/* Whatever is in the word: its owner is gone.  A word that can not be written leaves its waiters to themselves. */
static void pass_on(struct shard *s, struct pi_waiter *w)
{
	uint32_t value = 0, seen = 0;
	int err = user_load_u32(w->word, &value);
	for (; err == 0; value = seen) {
		err = hand_over(s, w, value, FUTEX_OWNER_DIED, &seen);
		if (seen == value)
			return;
	}
	w->owner = 0;
}

void futex_pi_owner_died(int tid)
{
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < N_SHARDS && atomic_load(&n_waiting) > 0; i++) {
		struct shard *s = lock_shard(i);
		for (struct pi_waiter *w; (w = first_of_owner(s, tid)) != NULL;)
			pass_on(s, w);
		unlock_shard(s);
	}
}
