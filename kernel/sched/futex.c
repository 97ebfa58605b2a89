/*
 * futex(2).  Waiters hang in hashed buckets.  A waiter queues itself first and reads the word then:
 * who changes the word and wakes afterwards finds it, or it finds the change.  The word is never
 * read with a spinlock held, as that may fault.
 *
 * A waiter's bucket changes when it is requeued; it leaves only under its bucket's lock, so who
 * holds that lock may touch it and wake its thread.
 */
#include "abi/linux/errno.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/futex_queue.h"

#define N_BUCKETS 256u

static struct futex_bucket buckets[N_BUCKETS];

static int (*resolve)(user_addr word, uint64_t key[2]);

void futex_set_resolver(int (*resolver)(user_addr word, uint64_t key[2]))
{
	resolve = resolver;
}

int futex_key_of(user_addr word, unsigned kind, struct futex_key *out)
{
	if (!is_aligned(word.va, sizeof(uint32_t)))
		return -EINVAL;
	if (kind == FUTEX_KEY_SHARED && resolve != NULL)
		return resolve(word, out->word);
	*out = (struct futex_key){{word.va, 0}};
	return 0;
}

static struct futex_bucket *bucket_of(const struct futex_key *k)
{
	uint64_t hash = (k->word[0] ^ k->word[1] << 32) * 0x9e3779b97f4a7c15ull;
	return &buckets[hash >> 56];
}

static irq_state must_check bucket_lock(struct futex_bucket *b)
{
	irq_state state = spin_lock(&b->lock);
	if (unlikely(b->waiters.next == NULL))
		list_init(&b->waiters);
	return state;
}

/* --- waiting --------------------------------------------------------------------------------------- */

void futex_enqueue(struct futex_waiter *w)
{
	struct futex_bucket *b = bucket_of(&w->key);
	irq_state state = bucket_lock(b);
	list_push_back(&b->waiters, &w->link);
	atomic_store(&w->bucket, b);
	spin_unlock(&b->lock, state);
	/* Our place in the queue is visible before the word is read. */
	atomic_thread_fence(memory_order_seq_cst);
}

bool futex_dequeue(struct futex_waiter *w)
{
	for (;;) {
		struct futex_bucket *b = atomic_load(&w->bucket);
		if (!b)
			return true;
		irq_state state = bucket_lock(b);
		bool here = atomic_load(&w->bucket) == b;
		if (here)
			list_remove(&w->link);
		spin_unlock(&b->lock, state);
		if (here)
			return atomic_load(&w->woken);
	}
}

int futex_wait(
	user_addr word, unsigned key_kind, uint32_t expected, uint32_t mask, uint64_t deadline_ns)
{
	struct futex_waiter w = {.mask = mask, .thread = thread_current()};
	if (mask == 0)
		return -EINVAL;
	int err = futex_key_of(word, key_kind, &w.key);
	if (err < 0)
		return err;
	futex_enqueue(&w);
	uint32_t value = 0;
	err = user_load_u32(word, &value);
	if (err == 0 && value != expected)
		err = -EAGAIN;
	while (err == 0 && !atomic_load(&w.woken))
		err = thread_block_interruptible(deadline_ns);
	return futex_dequeue(&w) ? 0 : err;
}

/* futex_waitv(2): whoever is woken first counts, and the others' wake-ups do not get lost: they are told nothing. */
static int dequeue_all(struct futex_waiter *waiters, unsigned n)
{
	int first = -1;
	for (unsigned i = 0; i < n; i++)
		if (futex_dequeue(&waiters[i]) && first < 0)
			first = (int)i;
	return first;
}

static bool any_woken(struct futex_waiter *waiters, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (atomic_load(&waiters[i].woken))
			return true;
	return false;
}

/* All are queued before the first word is read. */
static int check_words(const struct futex_wait_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t value = 0;
		int err = user_load_u32(entries[i].word, &value);
		if (err < 0)
			return err;
		if (value != entries[i].expected)
			return -EAGAIN;
	}
	return 0;
}

int futex_wait_any(const struct futex_wait_entry *entries, unsigned n, uint64_t deadline_ns)
{
	struct futex_waiter *waiters = heap_array(n, sizeof(*waiters));
	if (!waiters)
		return -ENOMEM;
	int err = 0;
	for (unsigned i = 0; err == 0 && i < n; i++) {
		waiters[i].mask = ~0u;
		waiters[i].thread = thread_current();
		err = futex_key_of(entries[i].word, entries[i].key_kind, &waiters[i].key);
	}
	if (err < 0)
		goto free;
	for (unsigned i = 0; i < n; i++)
		futex_enqueue(&waiters[i]);
	err = check_words(entries, n);
	while (err == 0 && !any_woken(waiters, n))
		err = thread_block_interruptible(deadline_ns);
	int woken = dequeue_all(waiters, n);
	if (woken >= 0)
		err = woken;
free:
	heap_free(waiters);
	return err;
}

/* --- waking ------------------------------------------------------------------------------------------ */

/* Under its bucket's lock. */
static void wake(struct futex_waiter *w)
{
	list_remove(&w->link);
	atomic_store(&w->woken, true);
	thread_wake(w->thread);
}

static int wake_key(const struct futex_key *k, unsigned n, uint32_t mask)
{
	struct futex_bucket *b = bucket_of(k);
	/* Pairs with the barrier in futex_enqueue(): the word was changed before this call. */
	atomic_thread_fence(memory_order_seq_cst);
	struct list *first = __atomic_load_n(&b->waiters.next, __ATOMIC_RELAXED);
	if (first == NULL || first == &b->waiters)
		return 0;
	int n_woken = 0;
	irq_state state = bucket_lock(b);
	struct futex_waiter *w, *next;
	list_for_each_safe (w, next, &b->waiters, link) {
		if (n_woken >= 0 && (unsigned)n_woken >= n)
			break;
		if (!(w->mask & mask) || !futex_same_key(&w->key, k))
			continue;
		if (w->requeue) { /* only FUTEX_CMP_REQUEUE_PI may */
			n_woken = n_woken ? n_woken : -EINVAL;
			break;
		}
		wake(w);
		n_woken++;
	}
	spin_unlock(&b->lock, state);
	return n_woken;
}

int futex_wake(user_addr word, unsigned key_kind, unsigned n, uint32_t mask)
{
	struct futex_key k;
	if (mask == 0)
		return -EINVAL;
	int err = futex_key_of(word, key_kind, &k);
	return err < 0 ? err : wake_key(&k, n, mask);
}

int futex_take_first(
	const struct futex_key *k, const struct futex_key *onto, struct futex_waiter **out)
{
	struct futex_bucket *b = bucket_of(k);
	struct futex_waiter *w;
	int err = 0;
	*out = NULL;
	irq_state state = bucket_lock(b);
	list_for_each (w, &b->waiters, link)
		if (futex_same_key(&w->key, k)) {
			*out = w;
			break;
		}
	if (*out && (!w->requeue || !futex_same_key(pi_waiter_key(w->requeue), onto)))
		err = -EINVAL;
	if (err == 0 && *out) {
		list_remove(&w->link);
		atomic_store(&w->bucket, NULL);
	}
	spin_unlock(&b->lock, state);
	return err;
}

/* Both locks, in the order of their addresses. */
static irq_state must_check lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	irq_state state = bucket_lock(min(a, b));
	if (a == b)
		return state;
	struct futex_bucket *second = max(a, b);
	spin_lock_nested(&second->lock);
	if (second->waiters.next == NULL)
		list_init(&second->waiters);
	return state;
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b, irq_state state)
{
	if (a != b)
		spin_unlock_nested(&max(a, b)->lock);
	spin_unlock(&min(a, b)->lock, state);
}

static int requeue(
	const struct futex_key *from, const struct futex_key *to, unsigned n_wake, unsigned n_move)
{
	struct futex_bucket *a = bucket_of(from), *b = bucket_of(to);
	struct list moved = LIST_INIT(moved);
	unsigned n = 0;
	irq_state state = lock_two(a, b);
	struct futex_waiter *w, *next;
	list_for_each_safe (w, next, &a->waiters, link) {
		if (n >= n_wake && n - n_wake >= n_move)
			break;
		if (!futex_same_key(&w->key, from) || w->requeue)
			continue;
		if (n++ < n_wake) {
			wake(w);
			continue;
		}
		/* Not onto b at once: it may be the list we walk. */
		list_remove(&w->link);
		list_push_back(&moved, &w->link);
		w->key = *to;
		atomic_store(&w->bucket, b);
	}
	for (struct list *l; (l = list_pop_front(&moved)) != NULL;)
		list_push_back(&b->waiters, l);
	unlock_two(a, b, state);
	return (int)n;
}

int futex_requeue(user_addr from, user_addr to, unsigned key_kind, unsigned n_wake, unsigned n_move,
	const uint32_t *expected)
{
	struct futex_key a, b;
	int err = futex_key_of(from, key_kind, &a);
	if (err == 0)
		err = futex_key_of(to, key_kind, &b);
	if (err < 0)
		return err;
	if (expected != NULL) {
		uint32_t value = 0;
		err = user_load_u32(from, &value);
		if (err < 0)
			return err;
		if (value != *expected)
			return -EAGAIN;
	}
	return requeue(&a, &b, n_wake, n_move);
}

/* --- FUTEX_WAKE_OP: linux/futex.h, FUTEX_OP() --------------------------------------------------------- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };
#define OP_ARG_SHIFT 8u

static int sign_extend12(uint32_t x)
{
	return (int)(x << 20) >> 20;
}

static int operate(unsigned op, uint32_t old, uint32_t arg, uint32_t *new)
{
	switch (op) {
	case OP_SET:
		*new = arg;
		return 0;
	case OP_ADD:
		*new = old + arg;
		return 0;
	case OP_OR:
		*new = old | arg;
		return 0;
	case OP_ANDN:
		*new = old & ~arg;
		return 0;
	case OP_XOR:
		*new = old ^ arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int holds(unsigned cmp, int old, int arg)
{
	switch (cmp) {
	case CMP_EQ:
		return old == arg;
	case CMP_NE:
		return old != arg;
	case CMP_LT:
		return old < arg;
	case CMP_LE:
		return old <= arg;
	case CMP_GT:
		return old > arg;
	case CMP_GE:
		return old >= arg;
	default:
		return -ENOSYS;
	}
}

/* Change the word as the operation says; whether its old value fulfils the comparison. */
static int change_word(user_addr word, uint32_t operation)
{
	unsigned op = operation >> 28, cmp = operation >> 24 & 15;
	uint32_t arg = (uint32_t)sign_extend12(operation >> 12);
	if (op & OP_ARG_SHIFT)
		arg = 1u << (arg & 31);
	uint32_t old = 0, seen = 0, new = 0;
	int err = user_load_u32(word, &seen);
	while (err == 0) {
		old = seen;
		err = operate(op & ~OP_ARG_SHIFT, old, arg, &new);
		if (err == 0)
			err = user_exchange_u32(word, old, new, &seen);
		if (err == 0 && seen == old)
			return holds(cmp, (int)old, sign_extend12(operation));
	}
	return err;
}

int futex_wake_op(user_addr word, user_addr second, unsigned key_kind, unsigned n_wake,
	unsigned n_second, uint32_t operation)
{
	struct futex_key a, b;
	int err = futex_key_of(word, key_kind, &a);
	if (err == 0)
		err = futex_key_of(second, key_kind, &b);
	if (err < 0)
		return err;
	int also = change_word(second, operation);
	if (also < 0)
		return also;
	int n = wake_key(&a, n_wake, ~0u);
	return also ? n + wake_key(&b, n_second, ~0u) : n;
}
