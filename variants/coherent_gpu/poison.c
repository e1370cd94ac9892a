// SPDX-License-Identifier: GPL-2.0
/* Pages of the memory that the function knows to be bad: they are not read in a migration. */
#include "coherent_gpu.h"

static int read_list(struct cgpu_dev *cd)
{
	struct vmig_diff diff;
	u32 pages;
	int err;

	cd->num_bad = 0;
	err = vpv_reg_read(&cd->ctl, CGPU_CP_POISON, &pages);
	if (err || !pages)
		return err;
	if (pages > CGPU_POISON_MAX) {
		dev_warn_ratelimited(cgpu_device(cd), "%u bad pages, more than %u\n", pages,
				     CGPU_POISON_MAX);
		return -EPROTO;
	}
	err = cgpu_command(cd, CGPU_POISON_READ, NULL, 0);
	if (!err)
		err = cgpu_answer(cd, cd->bad, pages * sizeof(cd->bad[0]));
	if (err)
		return err;
	if (cgpu_poison_check(&cd->place, cd->bad, pages * sizeof(cd->bad[0]), &diff)) {
		dev_warn_ratelimited(cgpu_device(cd), "%s is %#llx, may be %#llx\n", diff.field,
				     diff.got, diff.want);
		return -EPROTO;
	}
	cd->num_bad = pages;
	return 0;
}

int cgpu_bad_update(struct cgpu_dev *cd, bool anew)
{
	u32 seq;
	int err = vpv_reg_read(&cd->ctl, CGPU_CP_POISON_SEQ, &seq);

	if (err || (!anew && seq == cd->bad_seq))
		return err;
	err = read_list(cd);
	/* What has come since is found next time. */
	if (!err)
		cd->bad_seq = seq;
	return err;
}

bool cgpu_bad_own(const struct cgpu_dev *cd, u64 *page)
{
	for (u32 i = 0; i < cd->num_bad; i++) {
		*page = le64_to_cpu(cd->bad[i].address);
		if (!(le32_to_cpu(cd->bad[i].flags) & CGPU_POISON_INHERITED))
			return true;
	}
	return false;
}
