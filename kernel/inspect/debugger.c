/*
 * The machine's half of a debugger: what the other half, in the command, asks over the host channel.  Requests run in
 * the channel's thread; events are told by the thread they happen to, which then stands at the border with the others.
 *
 * A breakpoint is an instruction the host writes.  When its reporting thread had to wait for another event, and the
 * host took the breakpoint away meanwhile, the thread goes back onto the instruction as if nothing had been.
 */
#include "kernel/inspect/debugger.h"

#include "abi/channel.h"
#include "abi/debug.h"
#include "abi/linux/errno.h"
#include "kernel/arch/inspect.h"
#include "kernel/arch/timer.h"
#include "kernel/dev/channel.h"
#include "kernel/fs/vfs.h"
#include "kernel/inspect/inspect.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/proc/freeze.h"
#include "kernel/proc/signal.h"

#define START_POLL_NS (2 * NS_PER_MS)

static struct mutex event_turn; /* one event at a time, from its freeze until the host says go on */
static atomic_bool crashes_only;
static bool holding_start;
static _Atomic int pending_tid; /* whose event waits for the host's answer; 0: none does */
static atomic_uint answer;      /* the signal to deliver to it */

/* --- events --- */

static void tell(unsigned kind, const struct linux_siginfo *info)
{
	struct debug_event e = {
		.tid = (uint32_t)thread_current()->tid,
		.kind = (uint16_t)kind,
	};
	if (info) {
		e.signal = (uint16_t)info->si_signo;
		e.code = info->si_code;
		e.address = info->fault.address;
	}
	const struct channel_piece piece = {&e, sizeof(e)};
	channel_send(CHANNEL_DEBUG_EVENT, &piece, 1);
}

/* The host took the breakpoint away while its event waited. */
static bool is_stale(const struct linux_siginfo *info, const struct trap_frame *f)
{
	uint8_t byte = 0;
	uintptr_t at = inspect_breakpoint(f);
	return info->si_signo == SIGTRAP && at && copy_in(&byte, user_at(at), 1) == 0 &&
	       byte != 0xcc;
}

/* Everything stands, the host is told, and decides. */
static int report(unsigned kind, const struct linux_siginfo *info)
{
	struct task *t = task_current();
	int otherwise = info ? info->si_signo : 0;
	atomic_store(&pending_tid, t->thread.tid);
	atomic_store(&answer, (unsigned)otherwise);
	(void)process_freeze();
	tell(kind, info);
	freeze_wait(t);
	atomic_store(&pending_tid, 0);
	return (int)atomic_load(&answer);
}

static int on_signal(struct linux_siginfo *info, bool ends, struct trap_frame *f)
{
	struct task *t = task_current();
	if (t->stepping) {
		t->stepping = false;
		inspect_step_end(f);
	}
	if (atomic_load(&crashes_only) && !ends)
		return info->si_signo;
	/* Another's event comes first: stand meanwhile as if it had frozen us. */
	while (!mutex_try_lock(&event_turn)) {
		freeze_wait(t);
		thread_yield();
	}
	int signal = info->si_signo;
	if (is_stale(info, f)) {
		inspect_breakpoint_undo(f);
		signal = 0;
	} else if (program_watcher) {
		signal = report(DEBUG_EVENT_SIGNAL, info);
	}
	mutex_unlock(&event_turn);
	if (t->stepping)
		inspect_step(f);
	return signal;
}

static const struct program_watcher watcher = {on_signal};

void inspect_hold_start(void)
{
	mutex_init(&event_turn);
	program_watcher = &watcher;
	holding_start = true;
	atomic_store(&process.frozen, true);
}

/* --- requests --- */

struct asked {
	const struct debug_request *request;
	const uint8_t *data;
	uint32_t data_len;
	/* The answer's: */
	uint8_t *out;
	uint32_t out_len;
};

static long attach(struct asked *a)
{
	if (!program_watcher)
		mutex_init(&event_turn);
	atomic_store(&crashes_only, (a->request->flags & DEBUG_CRASHES_ONLY) != 0);
	program_watcher = &watcher;
	return 0;
}

static void for_each_task(void (*f)(struct task *t, void *arg), void *arg)
{
	irq_state state = spin_lock(&process.lock);
	struct task *t;
	list_for_each (t, &process.tasks, link)
		f(t, arg);
	spin_unlock(&process.lock, state);
}

struct resume {
	const struct asked *asked;
	unsigned rest; /* the action of those that are not named */
};

static void resume_one(struct task *t, void *arg)
{
	const struct resume *r = arg;
	unsigned action = r->rest, signal = 0;
	const struct debug_action *list = (const void *)r->asked->data;
	for (uint32_t i = 0; i < r->asked->data_len / sizeof(*list); i++)
		if (list[i].tid == (uint32_t)t->thread.tid) {
			action = list[i].action;
			signal = list[i].signal;
		}
	t->held = action == DEBUG_ACTION_HOLD;
	t->stepping = action == DEBUG_ACTION_STEP;
	if (t->stepping && atomic_load(&t->parked))
		inspect_step(thread_user_frame(&t->thread));
	if (t->thread.tid == atomic_load(&pending_tid))
		atomic_store(&answer, signal);
	else if (signal != 0 && signal <= SIGNALS && action != DEBUG_ACTION_HOLD)
		t->held = false;
}

static long resume(struct asked *a)
{
	struct resume r = {a, a->request->flags};
	for_each_task(resume_one, &r);
	process_thaw();
	return 0;
}

static void release_one(struct task *t, void *unused)
{
	(void)unused;
	t->held = t->stepping = false;
	if (atomic_load(&t->parked))
		inspect_step_end(thread_user_frame(&t->thread));
}

static long detach(struct asked *a)
{
	(void)a;
	static const struct debug_watch none[DEBUG_WATCHES];
	program_watcher = NULL;
	(void)!inspect_watch(none);
	atomic_store(&answer, 0);
	for_each_task(release_one, NULL);
	process_thaw();
	return 0;
}

static long stop(struct asked *a)
{
	(void)a;
	return (long)process_freeze();
}

static void list_one(struct task *t, void *arg)
{
	struct asked *a = arg;
	if (a->out_len + sizeof(struct debug_thread) > DEBUG_DATA_MAX)
		return;
	struct debug_thread d = {
		.tid = (uint32_t)t->thread.tid,
		.stands = atomic_load(&t->parked),
	};
	memcpy(d.name, t->thread.name, sizeof(d.name));
	memcpy(a->out + a->out_len, &d, sizeof(d));
	a->out_len += sizeof(d);
}

static long list_threads(struct asked *a)
{
	for_each_task(list_one, a);
	return a->out_len / sizeof(struct debug_thread);
}

/* A thread whose registers can be had: counted. */
static struct task *standing(uint32_t tid)
{
	struct task *t = process_find_task((int)tid);
	if (t && !atomic_load(&t->parked)) {
		thread_put(&t->thread);
		return NULL;
	}
	return t;
}

static long get_registers(struct asked *a)
{
	struct task *t = standing(a->request->tid);
	if (!t)
		return -ESRCH;
	struct debug_registers *r = (void *)a->out;
	const void *fpu = NULL;
	size_t size = inspect_fpu(&t->thread.arch, &fpu);
	inspect_get_registers(
		&t->thread.arch, thread_user_frame(&t->thread), t->restart != 0, r->r);
	r->fpu_size = (uint32_t)min(size, (size_t)(DEBUG_DATA_MAX - sizeof(*r)));
	r->reserved = 0;
	memcpy(r + 1, fpu, r->fpu_size);
	a->out_len = (uint32_t)sizeof(*r) + r->fpu_size;
	thread_put(&t->thread);
	return 0;
}

static long set_registers(struct asked *a)
{
	const struct debug_registers *r = (const void *)a->data;
	if (a->data_len < sizeof(*r) || r->fpu_size > a->data_len - sizeof(*r))
		return -EINVAL;
	struct task *t = standing(a->request->tid);
	if (!t)
		return -ESRCH;
	bool restart = false;
	inspect_set_registers(&t->thread.arch, thread_user_frame(&t->thread), &restart, r->r);
	if (!restart)
		t->restart = 0;
	else if (!t->restart)
		t->restart = ERESTARTNOHAND;
	int err = r->fpu_size > 0 ? inspect_set_fpu(&t->thread.arch, r + 1, r->fpu_size) : 0;
	t->changed_outside = true;
	thread_put(&t->thread);
	return err;
}

static long read_memory(struct asked *a)
{
	uint32_t len = min(a->request->len, DEBUG_DATA_MAX), done = 0;
	uintptr_t at = a->request->address;
	while (done < len) {
		uint32_t n =
			(uint32_t)min((size_t)(len - done), PAGE_SIZE - (at + done) % PAGE_SIZE);
		if (at + done < at || copy_in(a->out + done, user_at(at + done), n) < 0)
			break;
		done += n;
	}
	a->out_len = done;
	return done > 0 || len == 0 ? (long)done : -EFAULT;
}

/* Within one page.  What the program may not write becomes writable for the moment: all threads stand. */
static int write_page(uintptr_t at, const uint8_t *bytes, size_t len)
{
	struct address_space *s = &process.space;
	uintptr_t page = align_down(at, PAGE_SIZE);
	rw_lock_write(&process.space_lock);
	const struct area *area = area_at(s, at);
	unsigned prot = area ? area->prot : 0;
	int err = !area              ? -EFAULT
		  : prot & MMU_WRITE ? 0
		  : area->flags & AREA_SHARED
			  ? -EACCES
			  : address_space_protect(s, page, PAGE_SIZE, prot | MMU_READ | MMU_WRITE);
	rw_unlock_write(&process.space_lock);
	if (err < 0)
		return err;
	err = copy_out(user_at(at), bytes, len);
	if (!(prot & MMU_WRITE)) {
		rw_lock_write(&process.space_lock);
		int back = address_space_protect(s, page, PAGE_SIZE, prot);
		rw_unlock_write(&process.space_lock);
		err = err < 0 ? err : back;
	}
	return err;
}

static long write_memory(struct asked *a)
{
	uintptr_t at = a->request->address;
	for (uint32_t done = 0; done < a->data_len;) {
		uint32_t n = (uint32_t)min(
			(size_t)(a->data_len - done), PAGE_SIZE - (at + done) % PAGE_SIZE);
		int err = at + done < at ? -EFAULT : write_page(at + done, a->data + done, n);
		if (err < 0)
			return err;
		done += n;
	}
	return 0;
}

/* The frame's content is followed by a NUL. */
static bool is_path(const struct asked *a)
{
	return a->data_len > 0 && strnlen((const char *)a->data, a->data_len) == a->data_len;
}

static long read_file(struct asked *a)
{
	struct file *f = NULL;
	int err = is_path(a) ? vfs_open(NULL, (const char *)a->data, O_RDONLY | O_NONBLOCK, 0, &f)
			     : -EINVAL;
	if (err < 0)
		return err;
	struct io_buffer to;
	uint64_t offset = a->request->address;
	io_buffer_kernel(&to, a->out, min(a->request->len, DEBUG_DATA_MAX));
	long n = file_read(f, &to, &offset);
	file_put(f);
	a->out_len = n > 0 ? (uint32_t)n : 0;
	return n;
}

static long read_link(struct asked *a)
{
	struct dentry *d = NULL;
	int err = is_path(a) ? vfs_lookup(NULL, (const char *)a->data, LOOKUP_NO_FOLLOW, &d)
			     : -EINVAL;
	if (err < 0)
		return err;
	long n = vfs_readlink(d, (char *)a->out, 4096);
	dentry_put(d);
	a->out_len = n > 0 ? (uint32_t)n : 0;
	return n;
}

static long end_program(struct asked *a)
{
	/* In this order: nothing of it may run any more. */
	int err = signal_send_process(SIGKILL, &(struct linux_siginfo){.si_code = SI_KERNEL});
	(void)detach(a);
	return err;
}

static long send_signal(struct asked *a)
{
	if (a->request->len == 0 || a->request->len > SIGNALS)
		return -EINVAL;
	return signal_send_process(
		(int)a->request->len, &(struct linux_siginfo){.si_code = SI_USER});
}

static long tell_resident(struct asked *a)
{
	uintptr_t at = align_down((uintptr_t)a->request->address, PAGE_SIZE);
	uint32_t n = min(a->request->len, DEBUG_DATA_MAX);
	if (at >= USER_END || n > (USER_END - at) / PAGE_SIZE)
		return -EFAULT;
	rw_lock_read(&process.space_lock);
	address_space_residency(&process.space, at, n, a->out);
	rw_unlock_read(&process.space_lock);
	a->out_len = n;
	return (long)n;
}

static long watch(struct asked *a)
{
	if (a->data_len != DEBUG_WATCHES * sizeof(struct debug_watch))
		return -EINVAL;
	return inspect_watch((const struct debug_watch *)a->data);
}

static long sync_disks(struct asked *a)
{
	(void)a;
	vfs_sync_all();
	return 0;
}

static long perform(struct asked *a)
{
	static long (*const operations[])(struct asked * a) = {
		[DEBUG_ATTACH] = attach,
		[DEBUG_DETACH] = detach,
		[DEBUG_STOP] = stop,
		[DEBUG_RESUME] = resume,
		[DEBUG_THREADS] = list_threads,
		[DEBUG_REGISTERS] = get_registers,
		[DEBUG_SET_REGISTERS] = set_registers,
		[DEBUG_READ] = read_memory,
		[DEBUG_WRITE] = write_memory,
		[DEBUG_READ_FILE] = read_file,
		[DEBUG_READ_LINK] = read_link,
		[DEBUG_KILL] = end_program,
		[DEBUG_SIGNAL] = send_signal,
		[DEBUG_RESIDENT] = tell_resident,
		[DEBUG_WATCH] = watch,
		[DEBUG_SYNC] = sync_disks,
	};
	unsigned operation = a->request->operation;
	if (operation >= array_size(operations) || !operations[operation])
		return -ENOSYS;
	return operations[operation](a);
}

/* The machine may still be far from its program. */
static void tell_start(void)
{
	struct task *first = NULL;
	while (!(first = standing(PROCESS_ID)))
		(void)thread_block(clock_monotonic_ns() + START_POLL_NS);
	thread_put(&first->thread);
	struct debug_event e = {.tid = PROCESS_ID, .kind = DEBUG_EVENT_STARTED};
	const struct channel_piece piece = {&e, sizeof(e)};
	channel_send(CHANNEL_DEBUG_EVENT, &piece, 1);
}

void debugger_frame(const void *content, uint32_t len)
{
	struct asked a = {.request = content};
	struct debug_reply reply = {0};
	if (len < sizeof(*a.request))
		return;
	a.data = (const uint8_t *)content + sizeof(*a.request);
	a.data_len = len - (uint32_t)sizeof(*a.request);
	a.out = heap_alloc(DEBUG_DATA_MAX);
	reply.id = a.request->id;
	reply.result = a.out ? (int32_t)perform(&a) : -ENOMEM;
	const struct channel_piece pieces[] = {{&reply, sizeof(reply)}, {a.out, a.out_len}};
	channel_send(CHANNEL_DEBUG_REPLY, pieces, 2);
	heap_free(a.out);
	if (holding_start && a.request->operation == DEBUG_ATTACH) {
		holding_start = false;
		tell_start();
	}
}
