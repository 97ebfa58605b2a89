/* Files of /proc and /sys about disks and network cards. */
#pragma once

void devices_show_init(void); /* before vfs_mount_root() */
