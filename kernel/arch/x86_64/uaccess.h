/*
 * Pieces of instructions that touch user memory: the window SMAP wants around them, and the table
 * that says where to go on when one faults.  For C; copy.S has its own spelling.
 */
#pragma once

/* Room for clac/stac; cpu_patch_smap() fills it. */
#define SMAP_SITE_(instruction)                                                                    \
	"771: .byte 0x0f, 0x1f, 0x00\n"                                                            \
	".pushsection .smap_sites, \"a\"\n"                                                        \
	".long 771b - ., " instruction "\n"                                                        \
	".popsection\n"
#define USER_ACCESS_BEGIN SMAP_SITE_("0xcb010f")
#define USER_ACCESS_END SMAP_SITE_("0xca010f")

#define FIXUP(at, to)                                                                              \
	".pushsection .fixups, \"a\"\n"                                                            \
	".long " at " - ., " to " - .\n"                                                           \
	".popsection\n"
