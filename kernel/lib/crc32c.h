/* CRC-32C (Castagnoli), as ext4 and iSCSI use it. */
#pragma once

#include "kernel/lib/base.h"

/* crc carried on over n bytes, without the inversions that RFC 3720 has before and behind. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);
