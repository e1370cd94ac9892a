/* SPDX-License-Identifier: GPL-2.0 */
/* Accesses to mappings that may fault; by one thread at a time. */
#ifndef SELFTEST_SIGBUS_H
#define SELFTEST_SIGBUS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct sigbus - What the signal said
 * @code: si_code; 0: there was none.
 * @addr: si_addr.
 */
struct sigbus {
	int code;
	void *addr;
};

/* Does a load of 32 bits, as of a register, raise the signal? */
bool sigbus_faults(volatile void *p);
/* Load a byte, and keep it if @val is not NULL. */
struct sigbus sigbus_load(volatile uint8_t *p, uint8_t *val);
struct sigbus sigbus_store(volatile uint8_t *p, uint8_t val);
/* Call something during which another may tell of an error; its result, if there was none. */
struct sigbus sigbus_call(int (*fn)(void *arg), void *arg, int *ret);

#endif /* SELFTEST_SIGBUS_H */
