// SPDX-License-Identifier: GPL-2.0
/* A guest of KVM that writes memory of a function (kvm.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm.h"

#define PAGE		4096
#define CODE		0x1000		/* guest physical */
#define COUNT		0x1800
#define TARGET		0x10000000
#define TSS		0xfffbd000
#define SEL_CODE	8
#define SEL_DATA	16

/* In 32-bit mode without paging. */
static const uint8_t code[] = {
	0x69, 0xc0, 0x6d, 0x4e, 0xc6, 0x41,	/*  0 imul eax, eax, 1103515245 */
	0x05, 0x39, 0x30, 0x00, 0x00,		/*  6 add eax, 12345 */
	0x89, 0xc7,				/* 11 mov edi, eax */
	0x81, 0xe7, 0x00, 0x00, 0x00, 0x00,	/* 13 and edi, MASK */
	0xfe, 0x87, 0x00, 0x00, 0x00, TARGET >> 24,	/* 19 inc byte [edi + TARGET] */
	0xff, 0x05, 0x00, COUNT >> 8, 0x00, 0x00,	/* 25 inc dword [COUNT] */
	0xeb, 0xdf,				/* 31 jmp 0 */
};
#define CODE_MASK	15

static void write_code(uint8_t *at, uint64_t bytes)
{
	uint32_t mask = (uint32_t)(bytes - 1) & ~(PAGE - 1U);

	memcpy(at, code, sizeof(code));
	memcpy(at + CODE_MASK, &mask, sizeof(mask));
}

static int add_memory(struct kvm_guest *k, unsigned int slot, uint64_t at, void *p, uint64_t bytes)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .guest_phys_addr = at, .memory_size = bytes,
		.userspace_addr = (uintptr_t)p,
	};

	return ioctl(k->vm, KVM_SET_USER_MEMORY_REGION, &r) ? -errno : 0;
}

static struct kvm_segment flat(unsigned int selector, unsigned int type)
{
	return (struct kvm_segment){
		.limit = UINT32_MAX, .selector = selector, .type = type, .present = 1, .db = 1,
		.s = 1, .g = 1,
	};
}

static int set_registers(struct kvm_guest *k)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rax = 1 };
	struct kvm_sregs sregs;

	if (ioctl(k->cpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = flat(SEL_CODE, 11);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(SEL_DATA, 3);
	sregs.cr0 |= 1;
	if (ioctl(k->cpu, KVM_SET_SREGS, &sregs) || ioctl(k->cpu, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

static int make_machine(struct kvm_guest *k)
{
	k->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (k->kvm < 0)
		return -errno;
	k->run_bytes = ioctl(k->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	k->vm = ioctl(k->kvm, KVM_CREATE_VM, 0);
	/* Intel's wants to know where three pages are that nobody uses. */
	if (k->vm < 0 || k->run_bytes < 0 || ioctl(k->vm, KVM_SET_TSS_ADDR, TSS))
		return -errno;
	k->cpu = ioctl(k->vm, KVM_CREATE_VCPU, 0);
	if (k->cpu < 0)
		return -errno;
	k->run = mmap(NULL, k->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, k->cpu, 0);
	k->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return k->run == MAP_FAILED || k->page == MAP_FAILED ? -ENOMEM : 0;
}

/* Interrupts a KVM_RUN that has begun; one that has not looks at immediate_exit. */
static void wake(int sig)
{
}

static void *run(void *arg)
{
	struct kvm_guest *k = arg;

	while (!k->stop && !k->err) {
		if (!ioctl(k->cpu, KVM_RUN, 0))
			k->err = EPROTO;
		else if (errno != EINTR)
			k->err = errno;
	}
	return NULL;
}

uint32_t kvm_guest_count(const struct kvm_guest *k)
{
	return *(volatile uint32_t *)(k->page + COUNT - CODE);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int kvm_guest_stop(struct kvm_guest *k)
{
	if (k->started) {
		k->stop = true;
		k->run->immediate_exit = 1;
		pthread_kill(k->thread, SIGUSR1);
		pthread_join(k->thread, NULL);
	}
	k->started = false;
	if (k->run != MAP_FAILED)
		munmap(k->run, k->run_bytes);
	if (k->page != MAP_FAILED)
		munmap(k->page, PAGE);
	k->run = MAP_FAILED;
	k->page = MAP_FAILED;
	shut(&k->cpu);
	shut(&k->vm);
	shut(&k->kvm);
	return k->err;
}

int kvm_guest_start(struct kvm_guest *k, void *p, uint64_t bytes)
{
	struct sigaction act = { .sa_handler = wake };
	int err;

	*k = (struct kvm_guest){ .kvm = -1, .vm = -1, .cpu = -1, .run = MAP_FAILED, .page = MAP_FAILED };
	err = make_machine(k);
	if (!err)
		err = add_memory(k, 0, CODE, k->page, PAGE);
	if (!err)
		err = add_memory(k, 1, TARGET, p, bytes);
	if (!err)
		err = set_registers(k);
	if (!err) {
		write_code(k->page, bytes);
		sigaction(SIGUSR1, &act, NULL);
		err = -pthread_create(&k->thread, NULL, run, k);
	}
	k->started = !err;
	if (err)
		kvm_guest_stop(k);
	return err;
}
