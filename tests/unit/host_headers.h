/* The host's headers, before any of the kernel's. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same numbers, written otherwise. */
#undef RENAME_NOREPLACE
#undef RENAME_EXCHANGE
#undef RENAME_WHITEOUT
