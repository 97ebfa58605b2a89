/*
 * The disk image: one ext4 file system, no partition table, label "mote-root".
 * Written by cli/, read by kernel/.  Any ext4 tool reads it too.
 */
#pragma once

/* An optional file with the image's defaults: a kernel command line (abi/boot.h), one line.  What
 * the machine is started with wins: a word given there replaces the words here with the same
 * key, and init= or "--" there replaces program and arguments here.  Environment adds up. */
#define IMAGE_DEFAULTS_PATH "/.mote/cmdline"

#define IMAGE_LABEL "mote-root"
