/* mote.missing-files: what the program looked for and did not find. */
#pragma once

/* At the machine's end: the list on the console, if it was asked for. */
void missing_files_list(void);
