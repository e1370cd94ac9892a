// SPDX-License-Identifier: GPL-2.0
/* Accesses to mappings that may fault (sigbus.h). */
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "sigbus.h"

static sigjmp_buf back;
static struct sigbus seen;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	seen = (struct sigbus){ .code = info->si_code, .addr = info->si_addr };
	siglongjmp(back, 1);
}

struct sigbus sigbus_call(int (*fn)(void *arg), void *arg, int *ret)
{
	struct sigaction old, sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	seen = (struct sigbus){};
	sigaction(SIGBUS, &sa, &old);
	if (!sigsetjmp(back, 1))
		*ret = fn(arg);
	sigaction(SIGBUS, &old, NULL);
	return seen;
}

static int load_word(void *arg)
{
	(void)*(volatile uint32_t *)arg;
	return 0;
}

bool sigbus_faults(volatile void *p)
{
	int ret;

	return sigbus_call(load_word, (void *)p, &ret).code;
}

struct byte {
	volatile uint8_t *p;
	uint8_t val;
};

static int load(void *arg)
{
	struct byte *b = arg;

	b->val = *b->p;
	return 0;
}

static int store(void *arg)
{
	struct byte *b = arg;

	*b->p = b->val;
	return 0;
}

struct sigbus sigbus_load(volatile uint8_t *p, uint8_t *val)
{
	struct byte b = { .p = p };
	struct sigbus sb;
	int ret;

	sb = sigbus_call(load, &b, &ret);
	if (val && !sb.code)
		*val = b.val;
	return sb;
}

struct sigbus sigbus_store(volatile uint8_t *p, uint8_t val)
{
	struct byte b = { .p = p, .val = val };
	int ret;

	return sigbus_call(store, &b, &ret);
}
