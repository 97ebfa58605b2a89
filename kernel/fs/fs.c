/*
 * The file systems, in the order in which a device is tried.
 */
#include "kernel/fs/inode.h"

#include "kernel/fs/proc/generated.h"
#include "kernel/fs/dev/device.h"
#include "kernel/fs/dev/pty.h"
#include "kernel/fs/tmpfs/tmpfs.h"

const struct filesystem *const filesystems[] = {
	&ext4_filesystem,
	&tmpfs_filesystem,
	&overlay_filesystem,
	&devfs_filesystem,
	&devpts_filesystem,
	&procfs_filesystem,
	&sysfs_filesystem,
	&cgroupfs_filesystem,
};
const unsigned n_filesystems = array_size(filesystems);
