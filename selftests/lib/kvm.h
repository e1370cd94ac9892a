/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of KVM with one CPU that writes pages of a mapping in random order, for ever: faults
 * come the way that they do with a VMM.
 */
#ifndef SELFTEST_KVM_H
#define SELFTEST_KVM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm_run;

/**
 * struct kvm_guest - Guest that was started
 * @err: What ended it; 0 while it runs.
 */
struct kvm_guest {
	int kvm, vm, cpu;
	struct kvm_run *run;
	int run_bytes;
	uint8_t *page;
	pthread_t thread;
	volatile bool stop;
	volatile int err;
	bool started;
};

/*
 * Have it increment a byte of each page of [p, p + bytes).  @bytes is a power of two, at most
 * 256 MiB.  -ENOENT: there is no KVM here.
 */
int kvm_guest_start(struct kvm_guest *k, void *p, uint64_t bytes);

/* Writes so far. */
uint32_t kvm_guest_count(const struct kvm_guest *k);

/* Stop it, if it was started.  Return: the errno that KVM gave it, or 0. */
int kvm_guest_stop(struct kvm_guest *k);

#endif /* SELFTEST_KVM_H */
