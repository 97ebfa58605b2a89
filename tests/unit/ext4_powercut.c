/*
 * Power cuts.  A machine works on a disk that records every write and flush.  Then, for many points of that record: what was
 * flushed is there; of what was written since, any part may be missing or torn at 512 bytes.  From each such disk
 *   - our mount must replay the journal, find all that fsync(2) or sync(2) had promised, and in no file the bytes of
 *     another, and e2fsck -fn must agree with what it leaves;
 *   - e2fsck must replay the journal, too, and then find nothing wrong (for every fourth point).
 *
 *     ext4_powercut [POINTS [SEED]]
 */
#include "kernel/lib/crc32c.h"
#include "tests/unit/ext4_image.h"
#include "tests/unit/host_process.h"
#include "tests/unit/vfs_calls.h"

#define FILES 14u
#define SIZE_MAX_BYTES 200000u
#define POINTS 300u

static char folder[] = "/dev/shm/mote-powercut-XXXXXX";
static char path_of_image[100];
static struct image disk;
static uint32_t seed = 1;

static uint32_t next_random(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 4) * n >> 28);
}

static void start_machine(void)
{
	block_register(&disk.device);
	fd_table_init();
	vfs_set_credentials(get_test_credentials);
	expect(vfs_mount_root("/dev/vda", true), 0);
}

/* --- what was promised --- */

struct fact {
	size_t from, until; /* indices of the record: true for cuts in between */
	bool exists;
	char path[40];
	uint64_t size;
	uint32_t crc;
};
static struct fact facts[200000];
static unsigned n_facts;

static char names[FILES][40];
static bool alive[FILES];
static uint16_t ids[FILES], next_id = 1;
static int current[FILES]; /* the fact about that name, or -1 */

static void pass_name(unsigned i)
{
	snprintf(names[i], sizeof(names[i]), "/%s%sname-%u", i % 3 ? "dir" : "", i % 3 ? "/" : "",
		i);
}

static uint32_t crc_of(const char *path, uint64_t *size)
{
	static unsigned char bytes[4 * SIZE_MAX_BYTES];
	struct file *f = opened(path, O_RDONLY);
	long n = take_at(f, bytes, sizeof(bytes), 0);
	assert(n >= 0);
	file_put(f);
	*size = (uint64_t)n;
	return crc32c(0, bytes, (size_t)n);
}

/* What the name leads to now is durable. */
static void promise(unsigned i)
{
	struct fact *f = &facts[n_facts];
	assert(n_facts < sizeof(facts) / sizeof(*facts));
	*f = (struct fact){.from = disk.n_log, .until = SIZE_MAX, .exists = alive[i]};
	strcpy(f->path, names[i]);
	if (alive[i])
		f->crc = crc_of(names[i], &f->size);
	if (current[i] >= 0 && facts[current[i]].until == SIZE_MAX)
		facts[current[i]].until = disk.n_log;
	current[i] = (int)n_facts++;
}

/* From here on it may be something else. */
static void withdraw(unsigned i)
{
	if (current[i] >= 0 && facts[current[i]].until == SIZE_MAX)
		facts[current[i]].until = disk.n_log;
}

/* --- the load --- */

/* Every eight bytes tell the file they belong to and where. */
static void fill(uint64_t *words, uint64_t offset, size_t n, uint16_t id)
{
	for (size_t i = 0; i < n / 8; i++)
		words[i] = (uint64_t)id << 48 | (uint64_t)next_random(0xffff) << 32 |
			   (offset / 8 + i + 1);
}

static void write_some(unsigned i, uint32_t flags)
{
	static uint64_t words[8192];
	uint64_t at = next_random(SIZE_MAX_BYTES / 8) * 8ull;
	size_t n = (1 + next_random(next_random(4) ? 900 : 8000)) * 8;
	withdraw(i);
	if (!alive[i])
		ids[i] = next_id++;
	struct file *f = opened(names[i], O_RDWR | O_CREAT | flags);
	alive[i] = true;
	if (next_random(3) == 0)
		at = stat_of(names[i]).st_size / 8 * 8;
	fill(words, at, n, ids[i]);
	expect(put_at(f, words, n, at), (long)n);
	file_put(f);
	if (flags & O_DSYNC)
		promise(i);
}

static void sync_one(unsigned i)
{
	if (!alive[i])
		return;
	struct file *f = opened(names[i], O_RDONLY);
	expect(f->ops->sync(f, next_random(2)), 0);
	file_put(f);
	promise(i);
}

static void sync_everything(void)
{
	vfs_sync_all();
	for (unsigned i = 0; i < FILES; i++)
		promise(i);
}

static void cut_or_punch(unsigned i)
{
	if (!alive[i])
		return;
	withdraw(i);
	struct file *f = opened(names[i], O_RDWR);
	uint64_t at = next_random(SIZE_MAX_BYTES / 8) * 8ull, n = (1 + next_random(5000)) * 8ull;
	switch (next_random(4)) {
	case 0:
		expect(f->ops->truncate(f, at), 0);
		break;
	case 1:
		expect(f->ops->allocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, n), 0);
		break;
	case 2:
		expect(f->ops->allocate(f, FALLOC_FL_ZERO_RANGE, at, n), 0);
		break;
	case 3:
		expect(f->ops->allocate(f, next_random(2), at, n), 0);
		break;
	}
	file_put(f);
}

static void remove_name(unsigned i)
{
	if (!alive[i])
		return;
	withdraw(i);
	expect(vfs_unlink(NULL, names[i]), 0);
	alive[i] = false;
}

static void move_name(unsigned i, unsigned to)
{
	if (!alive[i] || i == to)
		return;
	withdraw(i);
	withdraw(to);
	unsigned flags = alive[to] && next_random(2) ? RENAME_EXCHANGE : 0;
	expect(rename_at(names[i], names[to], flags), 0);
	uint16_t id = ids[i];
	ids[i] = ids[to];
	ids[to] = id;
	alive[i] = flags != 0;
	alive[to] = true;
}

static void directories(void)
{
	char path[64];
	snprintf(path, sizeof(path), "/sub-%u", next_random(6));
	if (vfs_mkdir(NULL, path, 0700) == -EEXIST)
		expect(vfs_rmdir(NULL, path), 0);
	for (unsigned n = next_random(40); n > 0; n--) {
		snprintf(path, sizeof(path), "/many/some-longer-name-for-an-entry-%u",
			next_random(900));
		int err = vfs_mknod(NULL, path, S_IFIFO | 0600, 0);
		if (err == -EEXIST)
			err = vfs_unlink(NULL, path);
		expect(err, 0);
	}
	snprintf(path, sizeof(path), "/link-%u", next_random(4));
	if (vfs_symlink(next_random(2)
				? "short"
				: "a-target-that-is-too-long-to-find-room-inside-of-the-inode",
		    NULL, path) == -EEXIST)
		expect(vfs_unlink(NULL, path), 0);
}

static void work(unsigned n_steps)
{
	expect(vfs_mkdir(NULL, "/dir", 0755), 0);
	expect(vfs_mkdir(NULL, "/many", 0755), 0);
	for (unsigned i = 0; i < FILES; i++) {
		pass_name(i);
		current[i] = -1;
	}
	for (unsigned step = 0; step < n_steps; step++) {
		unsigned i = next_random(FILES), what = next_random(100);
		if (what < 40)
			write_some(i, what < 4 ? O_DSYNC : 0);
		else if (what < 60)
			sync_one(i);
		else if (what < 75)
			cut_or_punch(i);
		else if (what < 82)
			remove_name(i);
		else if (what < 90)
			move_name(i, next_random(FILES));
		else if (what < 97)
			directories();
		else
			sync_everything();
	}
}

/* --- a disk after a cut --- */

static void check_words(struct inode *i, const char *path)
{
	static uint64_t words[SIZE_MAX_BYTES];
	uint64_t size = inode_size(i);
	uint16_t id = 0;
	assert(size <= sizeof(words));
	expect(page_cache_read(&i->pages, 0, words, size), 0);
	for (uint64_t k = 0; k < size / 8; k++) {
		uint64_t w = words[k];
		if (w == 0)
			continue;
		id = id ? id : (uint16_t)(w >> 48);
		if (w >> 48 != id || (uint32_t)w != k + 1)
			panic("%s: word %lu is %016lx, in file %u", path, (unsigned long)k,
				(unsigned long)w, id);
	}
}

static void walk(struct inode *dir, unsigned depth)
{
	struct entries e;
	expect(entries_read(&e, dir, 1000000), 0);
	for (unsigned k = 0; k < e.n; k++) {
		struct name name = make_name(e.items[k].name, strlen(e.items[k].name));
		struct inode *child;
		expect(dir->ops->lookup(dir, &name, &child), 0);
		if (S_ISREG(child->mode))
			check_words(child, e.items[k].name);
		if (S_ISDIR(child->mode) && depth > 0)
			walk(child, depth - 1);
		inode_put(child);
	}
	free(e.items);
}

static size_t cut;

static void check_facts(void)
{
	for (unsigned n = 0; n < n_facts; n++) {
		const struct fact *f = &facts[n];
		uint64_t size = 0;
		if (cut < f->from || cut > f->until)
			continue;
		if (exists(f->path) != (f->exists ? 0 : -ENOENT))
			panic("cut %zu: %s should %sexist", cut, f->path, f->exists ? "" : "not ");
		if (!f->exists)
			continue;
		uint32_t crc = crc_of(f->path, &size);
		if (size != f->size || crc != f->crc)
			panic("cut %zu: %s: size %lu, crc %x; promised: size %lu, crc %x", cut,
				f->path, (unsigned long)size, crc, (unsigned long)f->size, f->crc);
	}
}

static void look(void *unused)
{
	(void)unused;
	start_machine();
	struct dentry *root = vfs_root();
	walk(dentry_inode(root), 3);
	dentry_put(root);
	check_facts();
	vfs_shut_down();
	image_save(&disk, path_of_image);
	fflush(stdout);
	_exit(0);
}

static int run(const char *format_text)
{
	char command[400];
	snprintf(command, sizeof(command), format_text, path_of_image, folder);
	return host_exit_code(system(command));
}

static void keep_and_fail(const char *what, size_t where)
{
	printf("cut %zu: %s\n", where, what);
	fflush(stdout);
	run("cp %s /tmp/powercut-failed.img; head -30 %s/log");
	_exit(1);
}

static void fsck(const char *who)
{
	if (run("e2fsck -fn %s > %s/log 2>&1") != 0)
		keep_and_fail(who, cut);
}

static void judge(bool theirs)
{
	if (theirs) {
		image_save(&disk, path_of_image);
		if (run("e2fsck -p %s > %s/log 2>&1") > 1)
			keep_and_fail("e2fsck can not replay it", cut);
		fsck("after e2fsck's own replay");
	}
	fflush(stdout);
	int child = fork(), status;
	if (child == 0)
		host_run(look, NULL);
	assert(waitpid(child, &status, 0) == child);
	if (host_exit_code(status) != 0) {
		image_save(&disk, path_of_image);
		keep_and_fail("our mount", cut);
	}
	fsck("after our replay");
}

/* --- the sweep --- */

/* A write that was not flushed: there, missing, or some of its sectors.  Where e2fsck is to replay, the superblock's two
 * sectors share their fate: it opens no file system where they do not fit, whoever wrote them. */
static void apply_part(const struct image_write *w, bool theirs)
{
	unsigned how = next_random(10);
	bool there = false;
	for (size_t at = 0; at < w->n; at += SECTOR_SIZE) {
		if (!theirs || w->sector + at / SECTOR_SIZE != 3)
			there = how < 5 || (how >= 8 && next_random(2));
		if (there)
			memcpy(disk.bytes + w->sector * SECTOR_SIZE + at, w->bytes + at,
				SECTOR_SIZE);
	}
}

static void sweep(unsigned char *durable, const struct image_write *log, size_t n, unsigned points)
{
	size_t flushed = 0;
	unsigned char *bytes = disk.bytes;
	unsigned done = 0;
	for (cut = 0; cut <= n; cut++) {
		if (cut > 0 && log[cut - 1].sector == UINT64_MAX)
			for (; flushed < cut; flushed++)
				if (log[flushed].sector != UINT64_MAX)
					memcpy(durable + log[flushed].sector * SECTOR_SIZE,
						log[flushed].bytes, log[flushed].n);
		/* As many points as the record has so far asked for. */
		while (done * (n + 1) < points * (cut + 1)) {
			memcpy(bytes, durable, disk.size);
			for (size_t i = flushed; i < cut; i++)
				if (log[i].sector != UINT64_MAX)
					apply_part(&log[i], done % 4 == 0);
			disk.log_room = 0;
			judge(done % 4 == 0);
			done++;
		}
	}
	printf("%u cuts through %zu writes and flushes, %u promises\n", done, n, n_facts);
}

/* The machine that works is another process than those that look: its record comes through a file. */
static const char *path_of_record(void)
{
	static char path[120];
	snprintf(path, sizeof(path), "%s/record", folder);
	return path;
}

static void make_record(void *n_steps)
{
	start_machine();
	image_keep_log(&disk);
	work(*(unsigned *)n_steps);
	FILE *f = fopen(path_of_record(), "wb");
	assert(f);
	fwrite(&n_facts, sizeof(n_facts), 1, f);
	fwrite(facts, sizeof(*facts), n_facts, f);
	fwrite(&disk.n_log, sizeof(disk.n_log), 1, f);
	for (size_t i = 0; i < disk.n_log; i++) {
		fwrite(&disk.log[i], sizeof(*disk.log), 1, f);
		fwrite(disk.log[i].bytes, 1, disk.log[i].n, f);
	}
	assert(fclose(f) == 0);
	_exit(0);
}

static void read_exactly(void *to, size_t n, FILE *f)
{
	assert(fread(to, 1, n, f) == n);
}

static size_t read_record(struct image_write **log)
{
	FILE *f = fopen(path_of_record(), "rb");
	size_t n;
	assert(f);
	read_exactly(&n_facts, sizeof(n_facts), f);
	read_exactly(facts, n_facts * sizeof(*facts), f);
	read_exactly(&n, sizeof(n), f);
	*log = malloc((n + 1) * sizeof(**log));
	for (size_t i = 0; i < n; i++) {
		read_exactly(&(*log)[i], sizeof(**log), f);
		(*log)[i].bytes = malloc((*log)[i].n + 1);
		read_exactly((*log)[i].bytes, (*log)[i].n, f);
	}
	fclose(f);
	return n;
}

static void one_image(const char *arguments, unsigned points, unsigned n_steps)
{
	char command[300];
	snprintf(command, sizeof(command),
		"rm -f %%s; truncate -s 12M %s; mke2fs -q -F %s %s > %%s/log 2>&1", path_of_image,
		arguments, path_of_image);
	assert(run(command) == 0);
	image_load(&disk, path_of_image);
	n_facts = 0;
	fflush(stdout);
	int child = fork(), status;
	if (child == 0)
		host_run(make_record, &n_steps);
	assert(waitpid(child, &status, 0) == child);
	if (host_exit_code(status) != 0)
		exit(1);
	struct image_write *log;
	size_t n = read_record(&log);
	unsigned char *durable = malloc(disk.size);
	memcpy(durable, disk.bytes, disk.size);
	printf("mke2fs %s: ", arguments);
	sweep(durable, log, n, points);
	for (size_t i = 0; i < n; i++)
		free(log[i].bytes);
	free(log);
	free(durable);
	free(disk.bytes);
	seed += 12345;
}

int main(int argc, char **argv)
{
	unsigned points = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : POINTS;
	if (argc > 2)
		seed = (uint32_t)strtoul(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	assert(mkdtemp(folder));
	snprintf(path_of_image, sizeof(path_of_image), "%s/image", folder);
	unsigned steps = points < 1000 ? 150 : 400;
	one_image("-t ext4 -b 1024", points / 2, steps);
	one_image("-t ext4 -b 4096", points / 4, steps);
	one_image("-t ext4 -b 1024 -O ^metadata_csum,^64bit -J size=1",
		points - points / 2 - points / 4, steps);
	run("true %s; rm -r %s");
	return 0;
}
