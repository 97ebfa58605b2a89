/* Host port: one CPU; interrupts are a flag that nothing reads but assertions. */
#pragma once

extern bool host_irq_on;

static inline bool irq_enabled(void)
{
	return host_irq_on;
}

static inline void irq_disable(void)
{
	host_irq_on = false;
}

static inline void irq_enable(void)
{
	host_irq_on = true;
}

static inline irq_state must_check irq_save(void)
{
	irq_state state = {host_irq_on};
	host_irq_on = false;
	return state;
}

static inline void irq_restore(irq_state state)
{
	host_irq_on = state.flags;
}

/* Only ever called in a loop that waits for another CPU: there is none. */
static inline void cpu_relax(void)
{
	panic("waiting for another CPU");
}

static inline unsigned cpu_id(void)
{
	return 0;
}
