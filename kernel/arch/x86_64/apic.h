/* The local interrupt controller of this CPU: x2APIC by MSR where there is one, else its page. */
#pragma once

#include "kernel/lib/base.h"

/* Timer counts down from here when nobody has armed it. */
#define APIC_TIMER_MAX 0xffffffffu

extern uint64_t apic_pa; /* of the page; firmware tables may move it before apic_init() */

void apic_init(void);     /* boot CPU */
void apic_init_cpu(void); /* every CPU */
uint32_t apic_id(void);
void apic_end(void); /* of interrupt */

/* Any context. */
void apic_send(uint32_t to, uint8_t vector);
void apic_send_nmi(uint32_t to);
/* Wake all other CPUs at TRAMPOLINE. */
void apic_start_others_init(void);
void apic_start_others_go(void);

/* The timer, in one-shot mode with the bus clock undivided, or in deadline mode. */
void apic_timer_set(uint32_t count); /* 0 stops it */
uint32_t apic_timer_left(void);
void apic_timer_set_deadline(uint64_t tsc); /* 0 stops it */
