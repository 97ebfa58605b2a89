/* The 16550 serial port of a PC. */
#pragma once

/* Register it with the console if it is there. */
void uart16550_probe(void);
