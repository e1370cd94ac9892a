// SPDX-License-Identifier: GPL-2.0
/* Migration hooks of coherent_gpu: its memory, and its state by the control page. */
#include <linux/slab.h>

#include "coherent_gpu.h"

static const struct vpv_pause cgpu_pause = {
	.request = CGPU_CP_PAUSE,
	.pause = CGPU_PAUSE,
	.freeze = CGPU_FREEZE,
	.state = CGPU_CP_DRAIN,
	.running = CGPU_RUNNING,
	.drained = CGPU_DRAINED,
	.limit = CGPU_CP_DRAIN_MS,
	.limit_most_ms = CGPU_DRAIN_MS,
};

static int cgpu_quiesce(struct vmig_dev *mig)
{
	static_assert((CGPU_DRAIN_FAILED & CGPU_DRAINED) == CGPU_DRAINED);
	return vpv_pause(&cgpu_from_mig(mig)->ctl, &cgpu_pause, 0);
}

static int cgpu_unquiesce(struct vmig_dev *mig)
{
	return vpv_unpause(&cgpu_from_mig(mig)->ctl, &cgpu_pause);
}

static int cgpu_freeze(struct vmig_dev *mig)
{
	return vpv_pause_freeze(&cgpu_from_mig(mig)->ctl, &cgpu_pause, true);
}

static int cgpu_thaw(struct vmig_dev *mig)
{
	return vpv_pause_freeze(&cgpu_from_mig(mig)->ctl, &cgpu_pause, false);
}

/* A record has no place for more: said before the memory is sent. */
static int check_number(struct cgpu_dev *cd, u32 num)
{
	if (num <= CGPU_POISON_MAX)
		return 0;
	return vmig_refuse(&cd->m.mig, -E2BIG,
			   VMIG_DIFF("number of bad pages", CGPU_POISON_MAX, num));
}

static int cgpu_match(struct vmig_dev *mig, void *buf)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);
	struct cgpu_match *fn = buf;
	struct vmig_diff diff;
	int err;

	err = cgpu_identify(cd, fn);
	if (err)
		return err;
	err = cgpu_match_sane(fn, &cd->fn, &diff);
	if (err)
		return vmig_refuse(mig, err, &diff);
	err = cgpu_bad_update(cd, true);
	err = err ?: check_number(cd, cgpu_bad_list(cd, NULL));
	return err ?: vpv_bar_memory_wait(&cd->m.vpv);
}

/* ---- Memory ---- */

static int cgpu_layout(struct vmig_dev *mig, struct vmig_range *ranges, unsigned int most)
{
	const struct cgpu_dev *cd = cgpu_from_mig(mig);

	ranges[0] = (struct vmig_range){ .last = cgpu_main_bytes(cd) - 1 };
	if (!cd->place.carve)
		return 1;
	ranges[1] = (struct vmig_range){
		.first = CGPU_CARVE_BASE,
		.last = CGPU_CARVE_BASE + cd->place.carve - 1,
	};
	return 2;
}

static bool stopped(void *mig)
{
	return vmig_stopped(mig);
}

int cgpu_memory_wait(struct vmig_dev *mig)
{
	return vpv_bar_memory_wait_unless(&cgpu_from_mig(mig)->m.vpv, stopped, mig);
}

/* Which BAR has it, and where? */
static unsigned int bar_of(u64 first, u64 *pos)
{
	bool carve = first >= CGPU_CARVE_BASE;

	*pos = carve ? first - CGPU_CARVE_BASE : first;
	return carve ? CGPU_CARVE_BAR : CGPU_MAIN_BAR;
}

/*
 * Is @err, which is returned otherwise, that the memory was not there, and is it now?  A reset may
 * come in between, which the library learns of later, and saves anew.
 */
static bool again(struct vmig_dev *mig, int *err)
{
	if (*err != -EAGAIN)
		return false;
	*err = cgpu_memory_wait(mig);
	return !*err;
}

static int read_part(struct vmig_dev *mig, u64 first, void *to, size_t bytes)
{
	struct vpv_device *vpv = &cgpu_from_mig(mig)->m.vpv;
	u64 pos;
	unsigned int bar = bar_of(first, &pos);
	int err;

	do
		err = vpv_bar_memory_read(vpv, bar, pos, bytes, to);
	while (again(mig, &err));
	return err;
}

/* What is in bad pages is not read: the other side is told of them. */
static int cgpu_read(struct vmig_dev *mig, u64 first, void *to, size_t bytes)
{
	int err = read_part(mig, first, to, bytes);

	if (err != -EHWPOISON)
		return err;
	err = 0;
	for (size_t pos = 0; pos < bytes && !err; pos += CGPU_POISON_PAGE) {
		err = read_part(mig, first + pos, to + pos, CGPU_POISON_PAGE);
		if (err == -EHWPOISON) {
			memset(to + pos, 0, CGPU_POISON_PAGE);
			err = 0;
		}
	}
	return err;
}

static int cgpu_write(struct vmig_dev *mig, u64 first, size_t bytes,
		      void (*put)(void *from, void *to, size_t bytes), void *from)
{
	struct vpv_device *vpv = &cgpu_from_mig(mig)->m.vpv;
	u64 pos;
	unsigned int bar = bar_of(first, &pos);
	int err;

	do
		err = vpv_bar_memory_write(vpv, bar, pos, bytes, put, from);
	while (again(mig, &err));
	return err;
}

static const struct vmig_pages_ops cgpu_pages = {
	.readers = 2,
	.layout = cgpu_layout,
	.start = cgpu_track_start,
	.stop = cgpu_track_stop,
	.harvest = cgpu_harvest,
	.protect = cgpu_protect,
	.read = cgpu_read,
	.write = cgpu_write,
};

/* ---- State ---- */

static int check_state(struct vmig_dev *mig, const void *data, size_t bytes, u32 *index,
		       struct vmig_diff *diff)
{
	return cgpu_state_check(&cgpu_from_mig(mig)->fn, data, bytes, diff);
}

/* Give the function what a stream has; @name: of the difference, if it is refused. */
static int commit(struct vmig_dev *mig, enum cgpu_cp_cmd cmd, const void *data, size_t bytes,
		  const char *name)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);
	u32 code;
	int err;

	scoped_guard(mutex, &cd->cmd_lock) {
		err = cgpu_command(cd, cmd, data, bytes);
		code = cd->cmd_err;
	}
	if (err == -EINVAL)
		vmig_refuse(mig, err, VMIG_DIFF(name, 0, code));
	return err;
}

static void first_page(void *data, u64 pos)
{
	u64 *first = data;

	*first = min(*first, pos);
}

/* Memory is written as it comes, and has to keep it.  Return: 0, @bad if a page is, or an errno. */
static int all_good(struct cgpu_dev *cd, int bad)
{
	u64 page = U64_MAX;
	int err = cgpu_bad_update(cd, true);

	if (err)
		return err;
	vpv_bar_memory_bad_pages(&cd->m.vpv, CGPU_MAIN_BAR, first_page, &page);
	if (cd->place.carve)
		vpv_bar_memory_bad_pages(&cd->m.vpv, CGPU_CARVE_BAR, first_page, &page);
	if (page == U64_MAX)
		return 0;
	dev_warn_ratelimited(cgpu_device(cd), "cannot be loaded: page %#llx is bad\n", page);
	return bad;
}

/* The first record: what is bad now has become so here, and has what was written no more. */
static int commit_state(struct vmig_dev *mig, u32 index, const void *data, size_t bytes)
{
	int err = all_good(cgpu_from_mig(mig), -EHWPOISON);

	return err ?: commit(mig, CGPU_STATE_SET, data, bytes, "CP_ERR of the state");
}

static int check_poison(struct vmig_dev *mig, const void *data, size_t bytes, u32 *index,
			struct vmig_diff *diff)
{
	return cgpu_poison_check(&cgpu_from_mig(mig)->place, data, bytes, diff);
}

/* They were bad elsewhere, and what was in them is lost: nobody touches them here, either. */
static int commit_poison(struct vmig_dev *mig, u32 index, const void *data, size_t bytes)
{
	struct cgpu_poison *list = kmemdup(data, bytes, GFP_KERNEL_ACCOUNT);
	int err;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < bytes / sizeof(*list); i++)
		list[i].flags = cpu_to_le32(CGPU_POISON_INHERITED);
	err = commit(mig, CGPU_POISON_SET, list, bytes, "CP_ERR of the bad pages");
	kfree(list);
	return err ?: cgpu_bad_update(cgpu_from_mig(mig), true);
}

static const struct vmig_staged_record cgpu_records[] = {
	{
		.name = "state",
		.type = CGPU_RECORD_STATE,
		.min_bytes = CGPU_STATE_BYTES(1),
		.max_bytes = CGPU_STATE_MAX_BYTES,
		.most = 1,
		.mandatory = true,
		.check = check_state,
		.commit = commit_state,
	},
	{
		.name = "bad pages",
		.type = CGPU_RECORD_POISON,
		.min_bytes = sizeof(struct cgpu_poison),
		.max_bytes = CGPU_POISON_MAX * sizeof(struct cgpu_poison),
		.most = 1,
		.check = check_poison,
		.commit = commit_poison,
	},
};

static int get_state(struct cgpu_dev *cd, void *buf, size_t bytes)
{
	int err;

	guard(mutex)(&cd->cmd_lock);

	err = cgpu_command(cd, CGPU_STATE_GET, NULL, 0);
	return err ?: cgpu_answer(cd, buf, bytes);
}

/* What a destination would refuse is refused here, while the source can still run on. */
static int save_state(struct cgpu_dev *cd, struct vmig_emit *em)
{
	size_t bytes = cgpu_state_bytes(&cd->fn);
	void *buf = kzalloc(bytes, GFP_KERNEL_ACCOUNT);
	struct vmig_diff diff;
	int err;

	if (!buf)
		return -ENOMEM;
	err = get_state(cd, buf, bytes);
	if (!err && cgpu_state_check(&cd->fn, buf, bytes, &diff))
		err = vmig_refuse(&cd->m.mig, -EPROTO, &diff);
	if (!err)
		err = vmig_emit(em, CGPU_RECORD_STATE, 0, buf, bytes);
	kfree(buf);
	return err;
}

static int emit_bad(struct cgpu_dev *cd, struct vmig_emit *em, struct cgpu_poison *list)
{
	u32 num = cgpu_bad_list(cd, list);
	int err = check_number(cd, num);

	if (err)
		return err;
	return num ? vmig_emit(em, CGPU_RECORD_POISON, 0, list, num * sizeof(*list)) : 0;
}

static int save_bad(struct cgpu_dev *cd, struct vmig_emit *em)
{
	struct cgpu_poison *list = kcalloc(CGPU_POISON_MAX, sizeof(*list), GFP_KERNEL_ACCOUNT);
	int err;

	if (!list)
		return -ENOMEM;
	err = cgpu_bad_update(cd, true);
	err = err ?: emit_bad(cd, em, list);
	kfree(list);
	return err;
}

static int cgpu_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);

	return save_state(cd, em) ?: save_bad(cd, em);
}

/* A failure, and bad pages from elsewhere, end by a reset. */
static int cgpu_load_begin(struct vmig_dev *mig)
{
	struct cgpu_dev *cd = cgpu_from_mig(mig);
	int err = vpv_bar_memory_wait(&cd->m.vpv);

	return err ?: cgpu_healthy(cd) ?: all_good(cd, -EOPNOTSUPP);
}

/* The log of the function has ended by itself. */
static void cgpu_reset(struct vmig_dev *mig)
{
	vpv_bar_memory_untrack(&cgpu_from_mig(mig)->m.vpv);
}

/* ---- Declarations ---- */

const struct vmig_ops cgpu_ops = {
	.quiesce = cgpu_quiesce,
	.unquiesce = cgpu_unquiesce,
	.freeze = cgpu_freeze,
	.thaw = cgpu_thaw,
	.match = cgpu_match,
	.save = cgpu_save,
	.load_begin = cgpu_load_begin,
	.reset = cgpu_reset,
};

const struct vmig_desc cgpu_desc = {
	.family = "coherent_gpu",
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = sizeof(struct cgpu_match),
	.match_fields = cgpu_fields,
	.num_match_fields = CGPU_NUM_FIELDS,
	.staged = cgpu_records,
	.num_staged = ARRAY_SIZE(cgpu_records),
	.pages = &cgpu_pages,
	.max_payload = CGPU_STATE_MAX_BYTES,
	.typical_bytes = CGPU_STATE_MAX_BYTES,
	.config = &vpv_config_state_ops,
	.reach = &vpv_reach,
	.undone_by_reset = true,
};
