/*
 * Copies of images that keep their holes; and deltas: what of a file differs from an earlier copy.
 *
 *     struct delta_head, then until the end: struct delta_piece, len bytes (none when it is zeros)
 */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/volume/volume.h"

#define PIECE 65536u
#define MAGIC "mote delta 1\n"
#define IDENTITY_BYTES 4096u /* the superblock: counts, times and a checksum */

struct delta_head {
	char magic[16];
	uint64_t size, base_size;
	unsigned char base[64]; /* SHA-512 of its first IDENTITY_BYTES */
};

struct delta_piece {
	uint64_t at;
	uint32_t len, is_zero;
};

static int cannot_copy(int err)
{
	return fail(err, "cannot copy the volume: %s", strerror(err));
}

static bool is_zero(const char *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

/* All of it, or what there is before the end of the file and zeros behind. */
static int read_at(int fd, uint64_t at, char *to, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			memset(to, 0, len);
			return 0;
		}
		to += n, at += (uint64_t)n, len -= (size_t)n;
	}
	return 0;
}

static int write_at(int fd, uint64_t at, const char *from, size_t len)
{
	while (len) {
		ssize_t n = pwrite(fd, from, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += n, at += (uint64_t)n, len -= (size_t)n;
	}
	return 0;
}

static int copy_range(int from, int to, uint64_t at, uint64_t end)
{
	char *buf = memory_new(PIECE, 1);
	int err = 0;

	while (err >= 0 && at < end) {
		size_t len = end - at < PIECE ? (size_t)(end - at) : PIECE;

		err = read_at(from, at, buf, len);
		if (err >= 0 && !is_zero(buf, len))
			err = write_at(to, at, buf, len);
		at += len;
	}
	free(buf);
	return err;
}

int copy_sparse(int from, int to)
{
	struct stat st;
	int err = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (fstat(from, &st) < 0 || ftruncate(to, 0) < 0 || ftruncate(to, st.st_size) < 0)
		return cannot_copy(errno);
	for (off_t at = 0; err >= 0 && at < st.st_size;) {
		off_t data = lseek(from, at, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			break;
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);

		if (hole < 0)
			err = -errno;
		else
			err = copy_range(from, to, (uint64_t)data, (uint64_t)hole);
		at = hole;
	}
	if (err >= 0 && fsync(to) < 0)
		err = -errno;
	return err < 0 ? cannot_copy(-err) : 0;
}

/* ---- Deltas ---- */

static int identify(int fd, unsigned char out[64], uint64_t *size)
{
	char start[IDENTITY_BYTES];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*size = (uint64_t)st.st_size;
	int err = read_at(fd, 0, start, sizeof(start));

	ext2fs_sha512((unsigned char *)start, sizeof(start), out);
	return err;
}

static int write_piece(int to, uint64_t *end, uint64_t at, const char *data, size_t len)
{
	struct delta_piece p = {at, (uint32_t)len, is_zero(data, len)};
	int err = write_at(to, *end, (const char *)&p, sizeof(p));

	*end += sizeof(p);
	if (err >= 0 && !p.is_zero) {
		err = write_at(to, *end, data, len);
		*end += len;
	}
	return err;
}

int delta_write(int base, int file, int to)
{
	struct delta_head h = {.magic = MAGIC};
	uint64_t end = sizeof(h);
	struct stat st;
	char *old = memory_new(2, PIECE), *new = old + PIECE;
	int err = identify(base, h.base, &h.base_size);

	if (err >= 0 && fstat(file, &st) < 0)
		err = -errno;
	h.size = err < 0 ? 0 : (uint64_t)st.st_size;
	if (err >= 0)
		err = write_at(to, 0, (const char *)&h, sizeof(h));
	for (uint64_t at = 0; err >= 0 && at < h.size; at += PIECE) {
		size_t len = h.size - at < PIECE ? (size_t)(h.size - at) : PIECE;

		err = read_at(base, at, old, len);
		if (err >= 0)
			err = read_at(file, at, new, len);
		if (err >= 0 && memcmp(old, new, len) != 0)
			err = write_piece(to, &end, at, new, len);
	}
	if (err >= 0 && fsync(to) < 0)
		err = -errno;
	free(old);
	return err < 0 ? cannot_copy(-err) : 0;
}

bool delta_is(int file)
{
	char magic[16] = {0};

	return read_at(file, 0, magic, sizeof(magic)) == 0 &&
	       memcmp(magic, MAGIC, sizeof(MAGIC)) == 0;
}

static int apply_piece(int delta, int to, uint64_t size, uint64_t *at, char *buf)
{
	struct delta_piece p;
	int err = read_at(delta, *at, (char *)&p, sizeof(p));

	if (err < 0)
		return err;
	if (p.len > PIECE || p.at > size || p.len > size - p.at || p.len == 0)
		return -EINVAL;
	*at += sizeof(p);
	memset(buf, 0, p.len);
	if (!p.is_zero) {
		err = read_at(delta, *at, buf, p.len);
		*at += p.len;
	}
	return err < 0 ? err : write_at(to, p.at, buf, p.len);
}

int delta_apply(int base, int delta, int to)
{
	unsigned char identity[64];
	struct delta_head h;
	uint64_t size, at = sizeof(h);
	struct stat st;

	if (read_at(delta, 0, (char *)&h, sizeof(h)) < 0 || identify(base, identity, &size) < 0 ||
		fstat(delta, &st) < 0)
		return cannot_copy(errno);
	if (size != h.base_size || memcmp(identity, h.base, sizeof(identity)) != 0)
		return fail(EINVAL, "cannot restore: that is not the backup this one builds on");
	int err = copy_sparse(base, to);

	if (err < 0)
		return err;
	if (ftruncate(to, (off_t)h.size) < 0)
		return cannot_copy(errno);
	char *buf = memory_new(PIECE, 1);

	while (err >= 0 && at < (uint64_t)st.st_size)
		err = apply_piece(delta, to, h.size, &at, buf);
	free(buf);
	if (err >= 0 && (at != (uint64_t)st.st_size || fsync(to) < 0))
		err = -EINVAL;
	return err < 0 ? fail(-err, "cannot restore: the backup is damaged or cut off") : 0;
}
