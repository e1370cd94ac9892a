/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Families of devices, for the tests of migration that every family has to pass.  A family
 * is one file in selftests/families/; tests are run for each family that the machine has.
 *
 * Callbacks return 0 or a negative errno.
 */
#ifndef SELFTEST_FAMILY_H
#define SELFTEST_FAMILY_H

#include "migration.h"
#include "model.h"

#define GUEST_IOVA	0x10000000ULL

struct family;

/**
 * struct guest - What goes on when another function takes over: memory, and the driver's state
 * @family: Of its function.
 * @v: Its function now, or NULL.
 * @mem: @family->mem_bytes of memory, at GUEST_IOVA.
 * @irq: Eventfd of the first vector once guest_irq() was called, or -1.
 * @own: @family->own_bytes for the family, zero at first.
 */
struct guest {
	const struct family *family;
	struct vdev *v;
	uint8_t *mem;
	int irq;
	void *own;
};

/**
 * struct damage - A stream that is wrong in one way only
 * @name: For the log.
 * @change: Change it; sizes, numbers and checksums are made right again afterwards.
 * @err: How it is refused.
 * @at_stop: Only when it is complete, not by write().
 * @says: Part of the line in the kernel's log, or NULL.
 */
struct damage {
	const char *name;
	void (*change)(struct stream *s);
	int err;
	bool at_stop;
	const char *says;
};

/**
 * struct claim - What a function can be made to say of itself that is not true
 * @what: Setting for the model's command "claim".
 * @err: How saving is refused; 0: it is not.
 * @open: How opening is refused, if it says so from the beginning; 0: it is not.
 * @sane: From the beginning it may be true: nothing is refused, unless there is more to save.
 * @less: There is more to save: reading the stream fails.
 */
struct claim {
	const char *what;
	int err;
	int open;
	bool sane;
	bool less;
};

#define DAMAGE(change, ...) { #change, change, __VA_ARGS__ }

/**
 * struct device_fault - A fault of the model that ends a migration
 * @spec: Setting for the model's command "fault".
 * @err: Errno of the step that it ends.
 */
struct device_fault {
	const char *spec;
	int err;
};

/**
 * struct family - What tests have to know of a family
 * @name: Of its model and in its streams.
 * @driver: That its functions are bound to.
 * @controller: Model of what controls its functions, or NULL.
 * @migration: VFIO_MIGRATION_* that it offers.
 * @bar: A BAR whose first 32-bit word a user may read.
 * @bar_bytes: What a user sees of it.
 * @record_max: Longest payload of a record of its own.
 * @state_max: A stream is never longer; large ones are damaged at fewer places.
 * @rounds: State changes while it is sent; pre-copy then has estimates and several rounds.
 * @tracks: Has a tracker of its own for the memory that it writes.
 * @holds_dma: Its driver keeps bus mastering off in hardware while it stands still.
 * @parks: Work that never ends can be stopped, and is done again later.
 * @mem_bytes: Memory of a guest.
 * @own_bytes: What a driver has to remember.
 * @irq_index: Kind of interrupt that ends start()ed work, vector 0; -1 for none.
 * @slow: Command to the model that makes work take long enough to be interrupted, or NULL.
 * @late: Command to the model that makes it say nothing of itself for a while after a reset, or NULL.
 * @counter: Line of the model's "stats" that counts work, or NULL.
 * @counts: How much start() adds to it.
 * @counter_moves: It is part of the state.
 * @pause_fails: Errno if it cannot be paused ("fault pause fail").
 * @load_fails: Errno if it refuses to be loaded ("fault load fail").  Of all families: -EREMOTEIO
 *              if it cannot be saved, and -ETIMEDOUT if one of the three never ends.
 * @faults: Faults that it has besides the standard points "pause", "save" and "load".
 * @num_faults: Their number.
 * @damage: Streams that its driver or device refuses.
 * @num_damage: Their number.
 * @claims: Limits that it can be made to lie about; whoever believes them loses state.
 * @num_claims: Their number.
 * @bind: Find functions and bind them, at most @max; their number.  NULL: those of the model.
 * @begin: Set up the function @g->v, which is idle.  May be NULL.
 * @attach: The guest uses @g->v from here on, as it is.  May be NULL.
 * @detach: Undo attach(): a mapping of registers would keep the function open.  May be NULL.
 * @start: Give it work, different for each @tag; do not wait.
 * @check: Wait for what start() gave, and check it: all of it, right, once.
 * @fits: By the hardware's page, may a stream of @src be loaded by @dst?  0 or the errno.
 *        NULL: functions never differ.
 */
struct family {
	const char *name;
	const char *driver;
	const char *controller;
	uint64_t migration;
	unsigned int bar;
	uint64_t bar_bytes;
	uint32_t record_max;
	uint64_t state_max;
	bool rounds;
	bool tracks;
	bool parks;
	bool holds_dma;
	size_t mem_bytes;
	size_t own_bytes;
	int irq_index;
	const char *slow;
	const char *late;
	const char *counter;
	uint64_t counts;
	bool counter_moves;
	int pause_fails;
	int load_fails;
	const struct device_fault *faults;
	unsigned int num_faults;
	const struct damage *damage;
	unsigned int num_damage;
	const struct claim *claims;
	unsigned int num_claims;
	int (*bind)(struct slot *slots, int max);
	int (*begin)(struct guest *g);
	int (*attach)(struct guest *g);
	void (*detach)(struct guest *g);
	int (*start)(struct guest *g, uint32_t tag);
	int (*check)(struct guest *g, uint32_t tag);
	int (*fits)(struct model *src, struct model *dst);
};

/* In a family's file, once: FAMILY(name) = { ... }; */
#define FAMILY(name)									\
	static const struct family name;						\
	static const struct family *const name##_entry					\
		__attribute__((used, section("families"))) = &name;			\
	static const struct family name

extern const struct family *const __start_families[], *const __stop_families[];

#define for_each_family(f) \
	for (const struct family *const *f = __start_families; f < __stop_families; f++)

/* Functions of a family, bound: their number. */
int family_bind(const struct family *f, struct slot *slots, int max);
/* Is there a function of the family in this machine? */
bool family_present(const struct family *f);
/* Does the family have this state of a migration? */
bool family_has_state(const struct family *f, unsigned int state);
/* Does the model have a fault point of that name? */
bool model_has_fault(struct model *m, const char *point);

int guest_init(struct guest *g, const struct family *f);
void guest_free(struct guest *g);
/* Give the memory to a function (its IOMMU mapping). */
int guest_share(struct guest *g, struct vdev *v);
/*
 * Use this function from here on, as it is: memory and bus mastering on, interrupts as
 * before.  What a VMM and a guest's driver do when a migration ends.
 */
int guest_on(struct guest *g, struct vdev *v);
/* Forget the function. */
void guest_off(struct guest *g);
/* Use this function from the beginning: it is idle, and may have been reset. */
int guest_boot(struct guest *g, struct vdev *v);
/* Have an interrupt from here on, also from other functions. */
int guest_irq(struct guest *g);
/* Work, and its end. */
int guest_start(struct guest *g, uint32_t tag);
int guest_check(struct guest *g, uint32_t tag);
int guest_work(struct guest *g, uint32_t tag);
/* Save @slot with work of @g that was not done; nobody has it open on return. */
int guest_stream(struct guest *g, const struct slot *slot, enum vdev_mode mode, struct blob *b);

#endif /* SELFTEST_FAMILY_H */
