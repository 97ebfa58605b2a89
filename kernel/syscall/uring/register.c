/* io_uring_register(2): files, buffers, the eventfd, what the ring may do, and what there is. */
#include "abi/linux/fcntl.h"
#include "abi/linux/resource.h"
#include "kernel/file/fd_table.h"
#include "kernel/file/kinds.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"
#include "kernel/syscall/uring/uring.h"

#define FILES_MAX 65536u
#define BUFFERS_MAX 16384u /* UIO_MAXIOV is 1024, but of fixed buffers there may be more */
#define BUFFER_BYTES_MAX (1ul << 30)

/* --- files --- */

int files_get(struct uring *u, unsigned n, struct file **out)
{
	irq_state state = spin_lock(&u->lock);
	struct file *f = n < u->n_files ? u->files[n] : NULL;
	if (f)
		file_get(f);
	spin_unlock(&u->lock, state);
	*out = f;
	return f ? 0 : -EBADF;
}

/* A tag is told once what it stood for is gone. */
static void tell_tag(struct uring *u, uint64_t tag)
{
	const struct linux_cqe c = {.user_data = tag};
	if (!tag)
		return;
	cqe_post(u, &c);
	uring_announce(u);
}

/* f, or nothing, into slot n; what was there goes.  Takes f; when the table has just gone, f goes, too. */
static bool put_into(struct uring *u, unsigned n, struct file *f, uint64_t tag)
{
	struct file *old = f;
	uint64_t old_tag = 0;
	irq_state state = spin_lock(&u->lock);
	bool there = n < u->n_files;
	if (there) {
		old = u->files[n];
		old_tag = u->file_tags[n];
		u->files[n] = f;
		u->file_tags[n] = tag;
	}
	spin_unlock(&u->lock, state);
	if (old)
		file_put(old);
	if (old)
		tell_tag(u, old_tag);
	return there && old;
}

static long take_free_slot(struct uring *u, struct file *f)
{
	long n = -ENFILE;
	irq_state state = spin_lock(&u->lock);
	for (unsigned i = u->alloc_start; n < 0 && i < u->alloc_end; i++)
		if (!u->files[i]) {
			u->files[i] = f;
			n = i;
		}
	spin_unlock(&u->lock, state);
	return n;
}

long files_install(struct uring *u, uint32_t file_index, struct file *f)
{
	long result = 0;
	if (uring_of_file(f))
		result = -EBADF;
	else if (!u->files)
		result = -ENXIO;
	else if (file_index == IORING_FILE_INDEX_ALLOC)
		result = take_free_slot(u, f);
	else if (file_index - 1 >= u->n_files)
		result = -EINVAL;
	else
		put_into(u, file_index - 1, f, 0);
	if (result < 0)
		file_put(f);
	return result;
}

long files_remove(struct uring *u, unsigned n)
{
	if (!u->files)
		return -ENXIO;
	if (n >= u->n_files)
		return -EINVAL;
	return put_into(u, n, NULL, 0) ? 0 : -EBADF;
}

static int get_number(user_addr from, unsigned n, int *fd)
{
	return copy_in(fd, user_offset(from, (size_t)n * sizeof(*fd)), sizeof(*fd));
}

static int get_tag(user_addr from, unsigned n, uint64_t *tag)
{
	*tag = 0;
	return from.va ? copy_in(tag, user_offset(from, (size_t)n * sizeof(*tag)), sizeof(*tag))
		       : 0;
}

static int update_one(struct uring *u, unsigned slot, int fd, uint64_t tag)
{
	struct file *f = NULL;
	if (fd == IORING_REGISTER_FILES_SKIP)
		return 0;
	int err = tag && fd == -1 ? -EINVAL : fd == -1 ? 0 : fd_get(fd, &f);
	if (err == 0 && f && uring_of_file(f)) {
		file_put(f);
		err = -EBADF;
	}
	if (err == 0)
		put_into(u, slot, f, tag);
	return err;
}

long files_update(struct uring *u, unsigned offset, user_addr fds, user_addr tags, unsigned n)
{
	unsigned done = 0;
	int err = 0;
	if (!u->files)
		return -ENXIO;
	if (n == 0 || offset >= u->n_files || n > u->n_files - offset)
		return -EINVAL;
	for (; done < n && err == 0; done += err == 0) {
		int fd;
		uint64_t tag;
		err = get_number(fds, done, &fd);
		if (err == 0)
			err = get_tag(tags, done, &tag);
		if (err == 0)
			err = update_one(u, offset + done, fd, tag);
	}
	return done ? (long)done : err;
}

static long files_unregister(struct uring *u)
{
	if (!u->files)
		return -ENXIO;
	for (unsigned i = 0; i < u->n_files; i++)
		put_into(u, i, NULL, 0);
	irq_state state = spin_lock(&u->lock);
	void *files = u->files, *tags = u->file_tags;
	u->files = NULL;
	u->file_tags = NULL;
	u->n_files = 0;
	spin_unlock(&u->lock, state);
	heap_free(files);
	heap_free(tags);
	return 0;
}

/* fds NULL: all slots are empty. */
static long files_register(struct uring *u, user_addr fds, user_addr tags, unsigned n)
{
	if (u->files)
		return -EBUSY;
	if (n == 0)
		return -EINVAL;
	if (n > FILES_MAX || n > process_limit(RLIMIT_NOFILE))
		return -EMFILE;
	struct file **files = heap_array(n, sizeof(struct file *));
	uint64_t *slots = heap_array(n, sizeof(uint64_t));
	if (!files || !slots) {
		heap_free(files);
		heap_free(slots);
		return -ENOMEM;
	}
	irq_state state = spin_lock(&u->lock);
	u->files = files;
	u->file_tags = slots;
	u->n_files = u->alloc_end = n;
	u->alloc_start = 0;
	spin_unlock(&u->lock, state);
	int err = 0;
	for (unsigned i = 0; fds.va && err == 0 && i < n; i++) {
		int fd;
		uint64_t tag = 0;
		err = get_number(fds, i, &fd);
		if (err == 0)
			err = get_tag(tags, i, &tag);
		if (err == 0)
			err = fd == IORING_REGISTER_FILES_SKIP ? -EBADF : update_one(u, i, fd, tag);
	}
	if (err < 0)
		memset(u->file_tags, 0, n * sizeof(uint64_t)), (void)!files_unregister(u);
	return err;
}

static long set_alloc_range(struct uring *u, user_addr argument)
{
	struct linux_file_range r;
	if (copy_in(&r, argument, sizeof(r)) < 0)
		return -EFAULT;
	if (r.resv)
		return -EINVAL;
	if (r.off > UINT32_MAX - r.len)
		return -EOVERFLOW;
	if (r.off + r.len > u->n_files)
		return -EINVAL;
	u->alloc_start = r.off;
	u->alloc_end = r.off + r.len;
	return 0;
}

/* --- buffers --- */

int buffers_check(struct uring *u, unsigned n, uint64_t address, uint64_t len)
{
	irq_state state = spin_lock(&u->lock);
	int err = -EFAULT;
	if (n < u->n_buffers) {
		const struct io_piece *b = &u->buffers[n];
		uint64_t offset = address - b->base.va;
		err = address >= b->base.va && offset <= b->len && len <= b->len - offset ? 0
											  : -EFAULT;
	}
	spin_unlock(&u->lock, state);
	return err;
}

static int get_buffer(user_addr from, unsigned n, struct io_piece *out)
{
	int err = copy_in(out, user_offset(from, (size_t)n * sizeof(*out)), sizeof(*out));
	if (err < 0)
		return err;
	if (!out->base.va)
		return out->len ? -EFAULT : 0;
	if (out->len == 0 || out->len > BUFFER_BYTES_MAX || out->base.va > USER_END ||
		out->len > USER_END - out->base.va)
		return -EFAULT;
	/* Linux pins it: it must be there, and writable. */
	return process_populate(align_down(out->base.va, PAGE_SIZE),
		       align_up(out->base.va + out->len, PAGE_SIZE), MMU_WRITE) < 0
		       ? -EFAULT
		       : 0;
}

static long buffers_unregister(struct uring *u)
{
	if (!u->buffers)
		return -ENXIO;
	irq_state state = spin_lock(&u->lock);
	struct io_piece *buffers = u->buffers;
	uint64_t *tags = u->buffer_tags;
	unsigned n = u->n_buffers;
	u->buffers = NULL;
	u->buffer_tags = NULL;
	u->n_buffers = 0;
	spin_unlock(&u->lock, state);
	for (unsigned i = 0; i < n; i++)
		tell_tag(u, tags[i]);
	heap_free(buffers);
	heap_free(tags);
	return 0;
}

static long buffers_register(struct uring *u, user_addr from, user_addr tags_at, unsigned n)
{
	if (u->buffers)
		return -EBUSY;
	if (n == 0 || n > BUFFERS_MAX)
		return -EINVAL;
	struct io_piece *buffers = heap_array(n, sizeof(*buffers));
	uint64_t *tags = heap_array(n, sizeof(*tags));
	int err = buffers && tags ? 0 : -ENOMEM;
	for (unsigned i = 0; err == 0 && from.va && i < n; i++) {
		err = get_buffer(from, i, &buffers[i]);
		if (err == 0)
			err = get_tag(tags_at, i, &tags[i]);
		if (err == 0 && tags[i] && !buffers[i].base.va)
			err = -EINVAL;
	}
	if (err < 0) {
		heap_free(buffers);
		heap_free(tags);
		return err;
	}
	irq_state state = spin_lock(&u->lock);
	u->buffers = buffers;
	u->buffer_tags = tags;
	u->n_buffers = n;
	spin_unlock(&u->lock, state);
	return 0;
}

static long buffers_update(struct uring *u, const struct linux_rsrc_update2 *r)
{
	unsigned done = 0;
	int err = 0;
	if (!u->buffers)
		return -ENXIO;
	if (r->offset >= u->n_buffers || r->nr > u->n_buffers - r->offset)
		return -EINVAL;
	for (; done < r->nr && err == 0; done += err == 0) {
		struct io_piece b;
		uint64_t tag, old = 0;
		err = get_buffer(user_at(r->data), done, &b);
		if (err == 0)
			err = get_tag(user_at(r->tags), done, &tag);
		if (err == 0 && tag && !b.base.va)
			err = -EINVAL;
		if (err < 0)
			break;
		irq_state state = spin_lock(&u->lock);
		old = u->buffer_tags[r->offset + done];
		u->buffers[r->offset + done] = b;
		u->buffer_tags[r->offset + done] = tag;
		spin_unlock(&u->lock, state);
		tell_tag(u, old);
	}
	return done ? (long)done : err;
}

/* --- registrations with a struct of their own --- */

static long register_resource(struct uring *u, user_addr argument, unsigned size, bool files)
{
	struct linux_rsrc_register r;
	if (size != sizeof(r))
		return -EINVAL;
	if (copy_in(&r, argument, sizeof(r)) < 0)
		return -EFAULT;
	bool sparse = r.flags & IORING_RSRC_REGISTER_SPARSE;
	if (!r.nr || r.resv2 || (r.flags & ~IORING_RSRC_REGISTER_SPARSE) || (sparse && r.data))
		return -EINVAL;
	user_addr data = user_at(sparse ? 0 : r.data), tags = user_at(r.tags);
	if (!sparse && !data.va)
		return -EFAULT;
	return files ? files_register(u, data, tags, r.nr) : buffers_register(u, data, tags, r.nr);
}

static long update_resource(struct uring *u, user_addr argument, unsigned size, bool files)
{
	struct linux_rsrc_update2 r;
	if (size != sizeof(r))
		return -EINVAL;
	if (copy_in(&r, argument, sizeof(r)) < 0)
		return -EFAULT;
	if (r.resv || r.resv2 || !r.nr)
		return -EINVAL;
	return files ? files_update(u, r.offset, user_at(r.data), user_at(r.tags), r.nr)
		     : buffers_update(u, &r);
}

static long update_files_plain(struct uring *u, user_addr argument, unsigned n)
{
	struct linux_rsrc_update r;
	if (n == 0)
		return -EINVAL;
	if (copy_in(&r, argument, sizeof(r)) < 0)
		return -EFAULT;
	return r.resv ? -EINVAL : files_update(u, r.offset, user_at(r.data), user_at(0), n);
}

/* --- the eventfd --- */

static long eventfd_register(struct uring *u, user_addr argument, unsigned n, bool only_async)
{
	int fd;
	struct file *f;
	if (n != 1)
		return -EINVAL;
	if (u->eventfd)
		return -EBUSY;
	if (copy_in(&fd, argument, sizeof(fd)) < 0)
		return -EFAULT;
	int err = fd_get(fd, &f);
	if (err < 0)
		return err;
	if (!file_is_eventfd(f)) {
		file_put(f);
		return -EINVAL;
	}
	irq_state state = spin_lock(&u->lock);
	u->eventfd = f;
	u->eventfd_async = only_async;
	spin_unlock(&u->lock, state);
	return 0;
}

static long eventfd_unregister(struct uring *u)
{
	irq_state state = spin_lock(&u->lock);
	struct file *f = u->eventfd;
	u->eventfd = NULL;
	spin_unlock(&u->lock, state);
	if (f)
		file_put(f);
	return f ? 0 : -ENXIO;
}

/* --- what there is and may be --- */

static long probe(user_addr to, unsigned n)
{
	struct linux_probe p = {.last_op = IORING_OP_LAST - 1};
	n = min(n, (unsigned)IORING_OP_LAST);
	p.ops_len = (uint8_t)n;
	uint8_t before[sizeof(p)];
	if (copy_in(before, to, sizeof(before)) < 0)
		return -EFAULT;
	for (unsigned i = 0; i < sizeof(before); i++)
		if (before[i])
			return -EINVAL;
	if (copy_out(to, &p, sizeof(p)) < 0)
		return -EFAULT;
	for (unsigned i = 0; i < n; i++) {
		const struct linux_probe_op o = {
			.op = (uint8_t)i,
			.flags = uring_operations[i].flags & OP_SUPPORTED ? IO_URING_OP_SUPPORTED
									  : 0,
		};
		if (copy_out(user_offset(to, sizeof(p) + i * sizeof(o)), &o, sizeof(o)) < 0)
			return -EFAULT;
	}
	return 0;
}

static long personality_register(struct uring *u)
{
	for (unsigned i = 0; i < array_size(u->personalities); i++)
		if (!u->personalities[i].used) {
			u->personalities[i] =
				(struct personality){true, process.euid, process.egid};
			return i + 1;
		}
	return -EBUSY;
}

static long personality_unregister(struct uring *u, unsigned id)
{
	if (id == 0 || id > array_size(u->personalities) || !u->personalities[id - 1].used)
		return -EINVAL;
	u->personalities[id - 1].used = false;
	return 0;
}

static int add_restriction(struct uring *u, const struct linux_restriction *r)
{
	switch (r->opcode) {
	case IORING_RESTRICTION_REGISTER_OP:
		if (r->what >= IORING_REGISTER_LAST)
			return -EINVAL;
		u->allowed_registers |= 1ull << r->what;
		return 0;
	case IORING_RESTRICTION_SQE_OP:
		if (r->what >= IORING_OP_LAST)
			return -EINVAL;
		u->allowed_ops |= 1ull << r->what;
		return 0;
	case IORING_RESTRICTION_SQE_FLAGS_ALLOWED:
		u->allowed_flags = r->what;
		return 0;
	case IORING_RESTRICTION_SQE_FLAGS_REQUIRED:
		u->required_flags = r->what;
		return 0;
	}
	return -EINVAL;
}

static long restrict_ring(struct uring *u, user_addr from, unsigned n)
{
	if (!u->disabled)
		return -EBADFD;
	if (u->restricted)
		return -EBUSY;
	if (!from.va || n > IORING_REGISTER_LAST + IORING_OP_LAST + 2)
		return -EINVAL;
	int err = 0;
	for (unsigned i = 0; i < n && err == 0; i++) {
		struct linux_restriction r;
		err = copy_in(&r, user_offset(from, i * sizeof(r)), sizeof(r));
		if (err == 0)
			err = add_restriction(u, &r);
	}
	if (err < 0) {
		u->allowed_registers = u->allowed_ops = 0;
		u->allowed_flags = u->required_flags = 0;
	}
	u->restricted = err == 0;
	return err;
}

static long enable(struct uring *u)
{
	if (!u->disabled)
		return -EBADFD;
	if ((u->setup & IORING_SETUP_SINGLE_ISSUER) && !u->submitter)
		u->submitter = thread_current()->tid;
	u->disabled = false;
	wait_wake(&u->waiters, EVENTS_ALL);
	return 0;
}

static long set_max_workers(user_addr at, unsigned n)
{
	uint32_t counts[2];
	if (!at.va || n != 2)
		return -EINVAL;
	if (copy_in(counts, at, sizeof(counts)) < 0)
		return -EFAULT;
	if (counts[0] > INT32_MAX || counts[1] > INT32_MAX)
		return -EINVAL;
	/* Bounded and unbounded work share the pool. */
	unsigned old = work_set_limit(max(counts[0], counts[1]));
	counts[0] = counts[1] = old;
	return copy_out(at, counts, sizeof(counts));
}

/* --- the call --- */

static long dispatch(struct uring *u, unsigned what, user_addr argument, unsigned n)
{
	bool none = !argument.va && n == 0, one = argument.va && n == 1;
	switch (what) {
	case IORING_REGISTER_BUFFERS:
		return argument.va ? buffers_register(u, argument, user_at(0), n) : -EFAULT;
	case IORING_UNREGISTER_BUFFERS:
		return none ? buffers_unregister(u) : -EINVAL;
	case IORING_REGISTER_FILES:
		return argument.va ? files_register(u, argument, user_at(0), n) : -EFAULT;
	case IORING_UNREGISTER_FILES:
		return none ? files_unregister(u) : -EINVAL;
	case IORING_REGISTER_FILES_UPDATE:
		return update_files_plain(u, argument, n);
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		return eventfd_register(u, argument, n, what == IORING_REGISTER_EVENTFD_ASYNC);
	case IORING_UNREGISTER_EVENTFD:
		return none ? eventfd_unregister(u) : -EINVAL;
	case IORING_REGISTER_PROBE:
		return argument.va && n <= 256 ? probe(argument, n) : -EINVAL;
	case IORING_REGISTER_PERSONALITY:
		return none ? personality_register(u) : -EINVAL;
	case IORING_UNREGISTER_PERSONALITY:
		return argument.va ? -EINVAL : personality_unregister(u, n);
	case IORING_REGISTER_RESTRICTIONS:
		return restrict_ring(u, argument, n);
	case IORING_REGISTER_ENABLE_RINGS:
		return none ? enable(u) : -EINVAL;
	case IORING_REGISTER_FILES2:
	case IORING_REGISTER_BUFFERS2:
		return register_resource(u, argument, n, what == IORING_REGISTER_FILES2);
	case IORING_REGISTER_FILES_UPDATE2:
	case IORING_REGISTER_BUFFERS_UPDATE:
		return update_resource(u, argument, n, what == IORING_REGISTER_FILES_UPDATE2);
	case IORING_REGISTER_IOWQ_AFF:
		return argument.va && n ? 0
					: -EINVAL; /* a wish: the pool runs where there is room */
	case IORING_UNREGISTER_IOWQ_AFF:
		return none ? 0 : -EINVAL;
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
		return set_max_workers(argument, n);
	case IORING_REGISTER_PBUF_RING:
		return one ? buffers_register_ring(u, argument) : -EINVAL;
	case IORING_UNREGISTER_PBUF_RING:
		return one ? buffers_unregister_ring(u, argument) : -EINVAL;
	case IORING_REGISTER_FILE_ALLOC_RANGE:
		return argument.va && n == 0 ? set_alloc_range(u, argument) : -EINVAL;
	default:
		return -EINVAL;
	}
}

long uring_register(struct uring *u, unsigned what, user_addr argument, unsigned n)
{
	if (what == IORING_REGISTER_RING_FDS)
		return uring_register_slots(argument, n);
	if (what == IORING_UNREGISTER_RING_FDS)
		return uring_unregister_slots(argument, n);
	if ((u->setup & IORING_SETUP_SINGLE_ISSUER) && u->submitter &&
		u->submitter != thread_current()->tid)
		return -EEXIST;
	if (u->restricted && !u->disabled && !(u->allowed_registers >> what & 1))
		return -EACCES;
	/* Waits: not with the submission queue locked. */
	if (what == IORING_REGISTER_SYNC_CANCEL)
		return argument.va && n == 1 ? uring_sync_cancel(u, argument) : -EINVAL;
	mutex_lock(&u->submit);
	long result = dispatch(u, what, argument, n);
	mutex_unlock(&u->submit);
	return result;
}

void uring_drop_registered(struct uring *u)
{
	(void)!files_unregister(u);
	(void)!buffers_unregister(u);
	(void)!eventfd_unregister(u);
	buffers_drop(u);
	while (!list_empty(&u->overflow))
		heap_free(list_entry(list_pop_front(&u->overflow), struct overflow, link));
}
