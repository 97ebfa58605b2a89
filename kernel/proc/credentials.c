/* Rules of setresuid(2) and its kin, of capset(2), and what kernel/fs sees of them. */
#include "kernel/proc/credentials.h"

#include "abi/linux/errno.h"
#include "abi/linux/prctl.h"
#include "kernel/lib/string.h"
#include "kernel/mem/heap.h"

static const struct fs_credentials *current_credentials(void)
{
	return &process.fs_credentials;
}

/* Under process.lock. */
static void publish(void)
{
	struct fs_credentials *c = &process.fs_credentials;
	c->uid = process.fsuid;
	c->gid = process.fsgid;
	c->override = process_capable(CAP_DAC_OVERRIDE);
}

void credentials_init(void)
{
	process.capabilities_effective = process.capabilities_permitted =
		process.capabilities_bounding = CAP_ALL;
	process.fs_credentials.umask = 022;
	publish();
	vfs_set_credentials(current_credentials);
}

static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == ID_KEEP || id == a || id == b || id == c;
}

/* capabilities(7), "effect of user ID changes": root's powers go with root's ids. */
static void follow_user_change(uint32_t old_real, uint32_t old_effective, uint32_t old_saved)
{
	if (process.securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	bool was_root = old_real == 0 || old_effective == 0 || old_saved == 0;
	bool is_root = process.uid == 0 || process.euid == 0 || process.suid == 0;
	if (was_root && !is_root) {
		if (!(process.securebits & SECBIT_KEEP_CAPS))
			process.capabilities_permitted = 0;
		process.capabilities_effective = 0;
		process.capabilities_ambient = 0;
	}
	if (old_effective == 0 && process.euid != 0)
		process.capabilities_effective = 0;
	if (old_effective != 0 && process.euid == 0)
		process.capabilities_effective = process.capabilities_permitted;
}

/* Under process.lock. */
static void set_users(uint32_t real, uint32_t effective, uint32_t saved)
{
	uint32_t old_real = process.uid, old_effective = process.euid, old_saved = process.suid;
	if (real != ID_KEEP)
		process.uid = real;
	if (effective != ID_KEEP)
		process.euid = effective;
	if (saved != ID_KEEP)
		process.suid = saved;
	process.fsuid = process.euid;
	follow_user_change(old_real, old_effective, old_saved);
	publish();
}

static void set_groups(uint32_t real, uint32_t effective, uint32_t saved)
{
	if (real != ID_KEEP)
		process.gid = real;
	if (effective != ID_KEEP)
		process.egid = effective;
	if (saved != ID_KEEP)
		process.sgid = saved;
	process.fsgid = process.egid;
	publish();
}

int credentials_set_users(uint32_t real, uint32_t effective, uint32_t saved)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t r = process.uid, e = process.euid, s = process.suid;
	bool allowed =
		process_capable(CAP_SETUID) ||
		(one_of(real, r, e, s) && one_of(effective, r, e, s) && one_of(saved, r, e, s));
	if (allowed)
		set_users(real, effective, saved);
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_set_groups_ids(uint32_t real, uint32_t effective, uint32_t saved)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t r = process.gid, e = process.egid, s = process.sgid;
	bool allowed =
		process_capable(CAP_SETGID) ||
		(one_of(real, r, e, s) && one_of(effective, r, e, s) && one_of(saved, r, e, s));
	if (allowed)
		set_groups(real, effective, saved);
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_set_user(uint32_t id)
{
	if (id == ID_KEEP)
		return -EINVAL;
	irq_state state = spin_lock(&process.lock);
	bool all = process_capable(CAP_SETUID);
	bool allowed = all || id == process.uid || id == process.suid;
	if (allowed)
		set_users(all ? id : ID_KEEP, id, all ? id : ID_KEEP);
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_set_group(uint32_t id)
{
	if (id == ID_KEEP)
		return -EINVAL;
	irq_state state = spin_lock(&process.lock);
	bool all = process_capable(CAP_SETGID);
	bool allowed = all || id == process.gid || id == process.sgid;
	if (allowed)
		set_groups(all ? id : ID_KEEP, id, all ? id : ID_KEEP);
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_set_user_pair(uint32_t real, uint32_t effective)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t r = process.uid, e = process.euid, s = process.suid;
	bool allowed = process_capable(CAP_SETUID) ||
		       (one_of(real, r, e, e) && one_of(effective, r, e, s));
	/* The saved id follows when the real one is set, or the effective one to something new. */
	bool save = real != ID_KEEP || (effective != ID_KEEP && effective != r);
	if (allowed)
		set_users(real, effective, !save ? ID_KEEP : effective != ID_KEEP ? effective : e);
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_set_group_pair(uint32_t real, uint32_t effective)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t r = process.gid, e = process.egid, s = process.sgid;
	bool allowed = process_capable(CAP_SETGID) ||
		       (one_of(real, r, e, e) && one_of(effective, r, e, s));
	bool save = real != ID_KEEP || (effective != ID_KEEP && effective != r);
	if (allowed)
		set_groups(real, effective, !save ? ID_KEEP : effective != ID_KEEP ? effective : e);
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

uint32_t credentials_set_fs_user(uint32_t id)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t old = process.fsuid;
	if (id != ID_KEEP && (process_capable(CAP_SETUID) || id == process.fsuid ||
				     one_of(id, process.uid, process.euid, process.suid)))
		process.fsuid = id;
	publish();
	spin_unlock(&process.lock, state);
	return old;
}

uint32_t credentials_set_fs_group(uint32_t id)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t old = process.fsgid;
	if (id != ID_KEEP && (process_capable(CAP_SETGID) || id == process.fsgid ||
				     one_of(id, process.gid, process.egid, process.sgid)))
		process.fsgid = id;
	publish();
	spin_unlock(&process.lock, state);
	return old;
}

/*
 * Readers (kernel/fs) take no lock, so a list that is replaced may still be read: it is overwritten in place when it
 * has the room, and left behind, never freed, when it has not.  Rooms double, so what is left behind is bounded.
 */
int credentials_set_supplementary(const uint32_t *ids, unsigned n)
{
	if (!process_capable(CAP_SETGID))
		return -EPERM;
	uint32_t *room = NULL;
	unsigned size = 32;
	while (size < n)
		size *= 2;
	if (n > process.groups_size) {
		room = heap_array(size, sizeof(*room));
		if (!room)
			return -ENOMEM;
	}
	irq_state state = spin_lock(&process.lock);
	process.fs_credentials.n_groups = process.n_groups = 0;
	if (room && size > process.groups_size) {
		process.groups = room;
		process.groups_size = size;
		room = NULL;
	}
	if (n > 0)
		memcpy(process.groups, ids, n * sizeof(*ids));
	process.fs_credentials.groups = process.groups;
	process.fs_credentials.n_groups = process.n_groups = n;
	spin_unlock(&process.lock, state);
	heap_free(room);
	return 0;
}

uint32_t credentials_set_umask(uint32_t mask)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t old = process.fs_credentials.umask;
	process.fs_credentials.umask = mask & 0777;
	spin_unlock(&process.lock, state);
	return old;
}

int credentials_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	irq_state state = spin_lock(&process.lock);
	uint64_t old = process.capabilities_permitted;
	uint64_t inherit = process.capabilities_inheritable | process.capabilities_bounding;
	if (!process_capable(CAP_SETPCAP))
		inherit &= process.capabilities_inheritable | old;
	bool allowed =
		!(permitted & ~old) && !(effective & ~permitted) && !(inheritable & ~inherit);
	if (allowed) {
		process.capabilities_effective = effective;
		process.capabilities_permitted = permitted;
		process.capabilities_inheritable = inheritable;
		process.capabilities_ambient &= permitted & inheritable;
		publish();
	}
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_set_securebits(uint32_t bits)
{
	irq_state state = spin_lock(&process.lock);
	uint32_t old = process.securebits, locks = old & SECBIT_LOCKS;
	bool allowed = process_capable(CAP_SETPCAP) && !(bits & ~(SECBITS | SECBIT_LOCKS)) &&
		       !(locks & ~bits) && !(locks >> 1 & (old ^ bits));
	if (allowed)
		process.securebits = bits;
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_keep_capabilities(uint32_t bit)
{
	irq_state state = spin_lock(&process.lock);
	bool allowed = !(process.securebits & SECBIT_KEEP_CAPS << 1);
	if (allowed)
		process.securebits = (process.securebits & ~SECBIT_KEEP_CAPS) | bit;
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_change_ambient(uint64_t clear, uint64_t set)
{
	irq_state state = spin_lock(&process.lock);
	bool allowed =
		!(set & ~(process.capabilities_permitted & process.capabilities_inheritable)) &&
		!(set && (process.securebits & SECBIT_NO_CAP_AMBIENT_RAISE));
	if (allowed)
		process.capabilities_ambient = (process.capabilities_ambient & ~clear) | set;
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

int credentials_drop_bounding(uint64_t bit)
{
	irq_state state = spin_lock(&process.lock);
	bool allowed = process_capable(CAP_SETPCAP);
	if (allowed)
		process.capabilities_bounding &= ~bit;
	spin_unlock(&process.lock, state);
	return allowed ? 0 : -EPERM;
}

/* No file has capabilities or sets ids: what is left of "transformation of capabilities during execve". */
void credentials_follow_exec(void)
{
	irq_state state = spin_lock(&process.lock);
	uint64_t permitted = process.capabilities_ambient, effective = permitted;
	bool root = process.uid == 0 || process.euid == 0;
	if (root && !(process.securebits & SECBIT_NOROOT)) {
		permitted |= process.capabilities_inheritable | process.capabilities_bounding;
		if (process.no_new_privileges)
			permitted &= process.capabilities_permitted;
		if (process.euid == 0)
			effective = permitted;
	}
	process.capabilities_permitted = permitted;
	process.capabilities_effective = effective;
	process.securebits &= ~SECBIT_KEEP_CAPS;
	process.suid = process.fsuid = process.euid;
	process.sgid = process.fsgid = process.egid;
	publish();
	spin_unlock(&process.lock, state);
}
