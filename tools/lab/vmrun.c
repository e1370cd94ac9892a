// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into QEMU, whose emulation of VMRUN (11.1) delivers the interrupt that it is to inject, and then has its vector still
 * where exceptions are that the processor has yet to take.  If another thread calls that processor before something else has gone
 * there, the vector is delivered a second time, as an exception, in the midst of its own handler (lab.rst).  The store of the vector
 * is taken out here: of the ways to inject an event this is the one that does not need it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BEFORE_CALL	64	/* the store and the call are in a few lines of it */
#define CALL_BYTES	5
#define STORE_BYTES	6

static const uint8_t nop[STORE_BYTES] = { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 };

static int32_t word(const uint8_t *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static int is_call(const uint8_t *at, const uint8_t *to)
{
	return at[0] == 0xe8 && at + CALL_BYTES + word(at + 1) == to;
}

/* Of %esi, which is the vector in the call, to what is in front of the registers: mov %esi, -N(%rbx). */
static int is_store(const uint8_t *at, const uint8_t *to)
{
	(void)to;
	return at[0] == 0x89 && at[1] == 0xb3 && word(at + 2) < -1024;
}

/* Return: the only one of @bytes that is, or NULL. */
static uint8_t *only(int (*is)(const uint8_t *at, const uint8_t *to), uint8_t *from, size_t bytes, const uint8_t *to)
{
	uint8_t *found = NULL;

	for (uint8_t *at = from; at + STORE_BYTES <= from + bytes; at++) {
		if (!is(at, to))
			continue;
		if (found)
			return NULL;
		found = at;
	}
	return found;
}

static int overwrite(uint8_t *at)
{
	uintptr_t page = (uintptr_t)at & -getpagesize();
	size_t bytes = (uintptr_t)at + STORE_BYTES - page;

	if (mprotect((void *)page, bytes, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -1;
	memcpy(at, nop, STORE_BYTES);
	return mprotect((void *)page, bytes, PROT_READ | PROT_EXEC);
}

static int mend(void)
{
	uint8_t *vmrun = dlsym(RTLD_DEFAULT, "helper_vmrun"), *call, *store;
	const uint8_t *hardirq = dlsym(RTLD_DEFAULT, "do_interrupt_x86_hardirq");
	const Elf64_Sym *symbol;
	Dl_info info;

	if (!vmrun || !hardirq || !dladdr1(vmrun, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
		return -1;
	call = only(is_call, vmrun, symbol->st_size, hardirq);
	if (!call || call < vmrun + BEFORE_CALL)
		return -1;
	store = only(is_store, call - BEFORE_CALL, BEFORE_CALL, NULL);
	return store ? overwrite(store) : -1;
}

__attribute__((constructor)) static void start(void)
{
	fprintf(stderr, "lab: VMRUN of this QEMU %s\n", mend() ? "is as it is" : "injects an interrupt once");
}
