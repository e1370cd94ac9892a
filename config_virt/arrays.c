// SPDX-License-Identifier: GPL-2.0
/* The arrays of a space: their memory, and which bytes of config space they have.  Pure. */
#include "vcfg.h"

/* Memory that vcfg_space_init() needs, for what @desc wants. */
size_t vcfg_space_mem(const struct vcfg_desc *desc)
{
	size_t bytes = desc->bytes;

	return 5 * bytes + (desc->persona ? bytes + bytes / 2 : 0) +
	       (desc->view ? 3 * bytes : 0);
}

/*
 * Give the arrays the bytes up to @end, which is a multiple of 4, if they do not have
 * them: the device's own.
 */
void vcfg_space_extend(struct vcfg_space *space, unsigned int end)
{
	u8 *zeroed[] = { space->shadow, space->virt, space->w1c, space->trap };
	unsigned int from = space->tabled;

	if (end <= from)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(zeroed); i++)
		memset(zeroed[i] + from, 0, end - from);
	memset(space->write + from, 0xff, end - from);
	/* The view has them (view.c), the state has not (state.c). */
	if (space->known) {
		memset(space->known + from, 0xff, end - from);
		memset(space->state + from, 0, end - from);
	}
	space->tabled = end;
}

/* Memory that vcfg_space_pack() needs; 0: the arrays have to stay as they are. */
size_t vcfg_space_packed(const struct vcfg_space *space)
{
	return space->persona || space->known ? 0 : 5 * space->tabled;
}

/* Move the arrays to @mem.  Few functions have capabilities up to the end. */
void vcfg_space_pack(struct vcfg_space *space, void *mem)
{
	u8 **arrays[] = { &space->shadow, &space->virt, &space->write, &space->w1c,
			  &space->trap };
	u8 *to = mem;

	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++, to += space->tabled) {
		memcpy(to, *arrays[i], space->tabled);
		*arrays[i] = to;
	}
}

/* The arrays in memory of vcfg_space_mem() bytes; with a persona it is all 0. */
void vcfg_space_setup(struct vcfg_space *space, const struct vcfg_desc *desc,
		      const struct vcfg_host_ops *ops, void *host, void *mem)
{
	unsigned int bytes = desc->bytes;
	u8 *arrays = mem, *more = arrays + 5 * bytes;

	*space = (struct vcfg_space) {
		.ops = ops, .host = host, .bytes = bytes, .tabled = bytes, .vf = desc->vf,
		.shadow = arrays,
		.virt = arrays + bytes,
		.write = arrays + 2 * bytes,
		.w1c = arrays + 3 * bytes,
		.trap = arrays + 4 * bytes,
	};
	memcpy(space->kept, desc->kept, sizeof(space->kept));
	if (desc->persona) {
		space->clear = more;
		space->place = more + bytes;
		more += bytes + bytes / 2;
	}
	if (desc->view) {
		space->known = more;
		space->seen = more + bytes;
		space->state = more + 2 * bytes;
	}
}
