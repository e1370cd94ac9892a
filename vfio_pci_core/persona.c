// SPDX-License-Identifier: GPL-2.0
/*
 * Personas: which one a device shows, chosen in sysfs while it is not open, and
 * what follows from it for BARs and the tables of MSI-X.
 *
 * Documentation/ABI/sysfs-bus-pci-vpv describes the files.
 */
#include <linux/ctype.h>
#include <linux/firmware.h>
#include <linux/io.h>
#include <linux/pm_runtime.h>
#include <linux/sysfs.h>

#include "vpv.h"

/* "vpv/", a name, ".persona" */
#define NAME_MAX_CHARS	31
#define PATH_BYTES	(4 + NAME_MAX_CHARS + 8 + 1)

/* ---- Where a persona comes from ---- */

static struct vcfg_persona *refuse(struct device *dev, const char *name, int err,
				   const char *why)
{
	dev_warn_ratelimited(dev, "persona %s refused: %s (%d)\n", name, why, err);
	return ERR_PTR(err);
}

static const char *name_of(const struct vcfg_persona *p)
{
	struct vcfg_persona_facts facts;

	vcfg_persona_facts(p, &facts);
	return facts.name;
}

/* A built-in one of the driver, or NULL. */
static struct vcfg_persona *load_builtin(struct vpv_device *vpv, const char *name)
{
	const struct vpv_variant *variant = vpv->variant;
	char why[VCFG_WHY_BYTES];

	for (unsigned int i = 0; i < variant->num_personas; i++) {
		struct vcfg_persona *p = vcfg_persona_load(variant->personas[i].blob,
							   variant->personas[i].bytes, why);

		if (IS_ERR(p))
			return refuse(&vpv->pdev->dev, name, PTR_ERR(p), why);
		if (!strcmp(name_of(p), name))
			return p;
		vcfg_persona_put(p);
	}
	return NULL;
}

/* From a file that anyone may have written. */
static struct vcfg_persona *load_file(struct vpv_device *vpv, const char *name)
{
	struct device *dev = &vpv->pdev->dev;
	char path[PATH_BYTES], why[VCFG_WHY_BYTES];
	const struct firmware *fw;
	struct vcfg_persona *p;
	int err;

	scnprintf(path, sizeof(path), "vpv/%s.persona", name);
	err = request_firmware_direct(&fw, path, dev);
	if (err)
		return refuse(dev, name, err, "neither built in nor a firmware file");
	p = vcfg_persona_load(fw->data, fw->size, why);
	release_firmware(fw);
	if (IS_ERR(p))
		return refuse(dev, name, PTR_ERR(p), why);
	if (!strcmp(name_of(p), name))
		return p;
	vcfg_persona_put(p);
	return refuse(dev, name, -EINVAL, "the file has a persona with another name");
}

/* ---- Which one is shown ---- */

/**
 * vpv_persona_hold() - Keep the persona from being changed
 * @vpv: Device, about to be opened.
 */
void vpv_persona_hold(struct vpv_device *vpv)
{
	guard(mutex)(&vpv->state->persona_lock);
	vpv->state->persona_held = true;
}

/**
 * vpv_persona_release() - Undo vpv_persona_hold()
 * @vpv: Device, closed.
 */
void vpv_persona_release(struct vpv_device *vpv)
{
	guard(mutex)(&vpv->state->persona_lock);
	vpv->state->persona_held = false;
}

/* Can the function keep it?  It may be asleep. */
static int check(struct vpv_device *vpv, struct vcfg_persona *p)
{
	struct device *dev = &vpv->pdev->dev;
	char why[VCFG_WHY_BYTES];
	int ret;

	lockdep_assert_held(&vpv->state->persona_lock);

	ret = pm_runtime_resume_and_get(dev);
	if (ret < 0)
		return ret;
	ret = vpv_config_check(vpv, p, why);
	pm_runtime_put(dev);
	if (ret)
		refuse(dev, name_of(p), ret, why);
	return ret;
}

/* @p: one reference, taken in any case; NULL: the default. */
static int choose(struct vpv_device *vpv, struct vcfg_persona *p)
{
	struct vpv_state *st = vpv->state;
	int ret = 0;

	mutex_lock(&st->persona_lock);
	if (st->persona_held)
		ret = -EBUSY;
	else if (p)
		ret = check(vpv, p);
	if (!ret)
		swap(st->persona, p);
	mutex_unlock(&st->persona_lock);
	vcfg_persona_put(p);
	return ret;
}

/* As uapi vpv/persona.h has names: also a file name without surprises. */
static bool name_good(const char *name)
{
	size_t n = 0;

	while (isascii(name[n]) && (isalnum(name[n]) || (name[n] && strchr("._-", name[n]))))
		n++;
	return n && n <= NAME_MAX_CHARS && !name[n] && isalpha(name[0]);
}

static ssize_t persona_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct vpv_device *vpv = dev_get_drvdata(dev);
	struct vcfg_persona *p = NULL;
	char name[NAME_MAX_CHARS + 2];
	int ret;

	/* With a newline at most. */
	if (strscpy(name, buf, sizeof(name)) < 0)
		return -EINVAL;
	strim(name);
	if (!name_good(name))
		return -EINVAL;
	/* Do not read files in vain; looked at again under the lock. */
	if (READ_ONCE(vpv->state->persona_held))
		return -EBUSY;
	if (strcmp(name, "default")) {
		p = load_builtin(vpv, name);
		if (!p)
			p = load_file(vpv, name);
		if (IS_ERR(p))
			return PTR_ERR(p);
	}
	ret = choose(vpv, p);
	return ret ? ret : count;
}

static int emit(char *buf, int at, const struct vcfg_persona *p)
{
	struct vcfg_persona_facts facts;

	vcfg_persona_facts(p, &facts);
	return sysfs_emit_at(buf, at, "%s %u %32phN\n", facts.name, facts.version,
			     facts.digest);
}

static ssize_t persona_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vpv_device *vpv = dev_get_drvdata(dev);

	guard(mutex)(&vpv->state->persona_lock);
	if (!vpv->state->persona)
		return sysfs_emit(buf, "default\n");
	return emit(buf, 0, vpv->state->persona);
}
static DEVICE_ATTR_RW(persona);

static ssize_t personas_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vpv_device *vpv = dev_get_drvdata(dev);
	const struct vpv_variant *variant = vpv->variant;
	char why[VCFG_WHY_BYTES];
	int at = 0;

	for (unsigned int i = 0; i < variant->num_personas; i++) {
		struct vcfg_persona *p = vcfg_persona_load(variant->personas[i].blob,
							   variant->personas[i].bytes, why);

		if (IS_ERR(p))
			return PTR_ERR(p);
		at += emit(buf, at, p);
		vcfg_persona_put(p);
	}
	return at;
}
static DEVICE_ATTR_RO(personas);

static struct attribute *persona_attrs[] = {
	&dev_attr_persona.attr,
	&dev_attr_personas.attr,
	NULL
};

static const struct attribute_group persona_group = {
	.name = VPV_SYSFS_GROUP,
	.attrs = persona_attrs,
};

/* What is shown before anybody has chosen. */
static int choose_first(struct vpv_device *vpv)
{
	const char *name = vpv->variant->persona;
	struct vcfg_persona *p;

	if (!name)
		return 0;
	p = load_builtin(vpv, name);
	if (!p)
		p = refuse(&vpv->pdev->dev, name, -ENOENT, "the driver does not have it");
	return IS_ERR(p) ? PTR_ERR(p) : choose(vpv, p);
}

/* Those of this file, and those of a library that follows the device. */
static int files_add(struct vpv_device *vpv)
{
	const struct vpv_companion *companion = vpv->variant->companion;
	struct device *dev = &vpv->pdev->dev;
	int ret = device_add_group(dev, &persona_group);

	if (ret || !companion || !companion->files)
		return ret;
	ret = sysfs_merge_group(&dev->kobj, companion->files);
	if (ret)
		device_remove_group(dev, &persona_group);
	return ret;
}

/**
 * vpv_persona_add() - Choose the first persona, and let the operator choose another
 * @vpv: Device, probed but not announced.
 *
 * Return: 0 or a negative errno.
 */
int vpv_persona_add(struct vpv_device *vpv)
{
	int ret = choose_first(vpv);

	return ret ?: files_add(vpv);
}

/* Waits for readers and writers of the files. */
void vpv_persona_remove(struct vpv_device *vpv)
{
	const struct vpv_companion *companion = vpv->variant->companion;

	if (companion && companion->files)
		sysfs_unmerge_group(&vpv->pdev->dev.kobj, companion->files);
	device_remove_group(&vpv->pdev->dev, &persona_group);
}

/* ---- What follows for BARs ---- */

/**
 * vpv_persona_cut() - Make BARs and ROM as large as the persona says
 * @vpv: Device; its config space has been built, so that it fits.
 */
void vpv_persona_cut(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vcfg_persona_facts facts;

	st->rom_most = U64_MAX;
	if (!st->persona)
		return;
	vcfg_persona_facts(st->persona, &facts);
	for (unsigned int i = 0; i < VPV_BARS; i++)
		st->bars[i].region.bytes = min(st->bars[i].region.bytes, facts.bar_bytes[i]);
	st->rom_most = facts.rom_bytes;
	st->rom.bytes = min(st->rom.bytes, st->rom_most);
}

/* MSI-X as a config space says it: table and pending bits. */
struct msix {
	unsigned int vectors;
	u32 table;
	u32 pba;
};

#define MSIX_BAR(reg)		((reg) & PCI_MSIX_TABLE_BIR)
#define MSIX_POS(reg)		((reg) & PCI_MSIX_TABLE_OFFSET)
#define TABLE_BYTES(m)		((m)->vectors * PCI_MSIX_ENTRY_SIZE)
#define PBA_BYTES(m)		(DIV_ROUND_UP((m)->vectors, 64) * 8)

static bool hw_msix(struct pci_dev *pdev, struct msix *m)
{
	u16 flags;

	if (!pdev->msix_cap)
		return false;
	pci_user_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &flags);
	pci_user_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &m->table);
	pci_user_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_PBA, &m->pba);
	m->vectors = (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
	return MSIX_BAR(m->table) < VPV_BARS;
}

/* Return: 1 if the user has it, 0 if not, or an error of the device. */
static int user_msix(struct vpv_device *vpv, struct msix *m)
{
	unsigned int pos = vcfg_find_cap(vpv->state->cfg, PCI_CAP_ID_MSIX, false);
	__le32 raw[3];
	int ret;

	if (!pos)
		return 0;
	ret = vcfg_read(vpv->state->cfg, pos, raw, sizeof(raw));
	if (ret)
		return ret;
	m->vectors = (le32_to_cpu(raw[0]) >> 16 & PCI_MSIX_FLAGS_QSIZE) + 1;
	m->table = le32_to_cpu(raw[1]);
	m->pba = le32_to_cpu(raw[2]);
	return MSIX_BAR(m->table) < VPV_BARS && MSIX_BAR(m->pba) < VPV_BARS;
}

/* Pending bits at another place than the hardware's. */
static int pba_read(struct vpv_device *vpv, struct vpv_region *region, u64 pos, void *buf,
		    unsigned int bytes)
{
	const struct vpv_pba *pba = &vpv->state->pba;
	void __iomem *io = vpv->state->bars[pba->hw_bar].io;
	u64 off = pos - pba->pos;
	__le32 words[2] = {};

	if (!io)
		return -EIO;
	io += pba->hw_pos + ALIGN_DOWN(off, 4);
	words[0] = cpu_to_le32(ioread32(io));
	if (bytes == 8)
		words[1] = cpu_to_le32(ioread32(io + 4));
	memcpy(buf, (u8 *)words + off % 4, bytes);
	return 0;
}

static int pba_write(struct vpv_device *vpv, struct vpv_region *region, u64 pos,
		     const void *buf, unsigned int bytes)
{
	return 0;	/* read-only */
}

static const struct vpv_region_ops pba_ops = {
	.read = pba_read,
	.write = pba_write,
};

static int place_pba(struct vpv_device *vpv, const struct msix *hw, const struct msix *user)
{
	struct vpv_state *st = vpv->state;
	const struct vpv_bar_state *bar;

	if (hw->pba == user->pba || MSIX_BAR(hw->pba) >= VPV_BARS)
		return 0;
	bar = &st->bars[MSIX_BAR(hw->pba)];
	if (!bar->mem || (u64)MSIX_POS(hw->pba) + PBA_BYTES(user) > bar->hw_bytes) {
		pci_info_ratelimited(vpv->pdev,
				     "the pending bits of MSI-X are not in BAR %u: offset %#x\n",
				     MSIX_BAR(hw->pba), MSIX_POS(hw->pba));
		return -EINVAL;
	}
	st->pba = (struct vpv_pba){
		.pos = MSIX_POS(user->pba),
		.hw_bar = MSIX_BAR(hw->pba),
		.hw_pos = MSIX_POS(hw->pba),
	};
	return vpv_bar_add_part(&st->bars[MSIX_BAR(user->pba)], MSIX_POS(user->pba),
				PBA_BYTES(user), &pba_ops);
}

/**
 * vpv_persona_msix() - Where the user sees the tables of MSI-X, and where not
 * @vpv: Device; traps of its variant have been declared.
 * @table: Filled in: the table that the user sees.
 *
 * A hardware table that the user does not see as one becomes a trap: reads give
 * ones, writes are dropped, its pages cannot be mapped.
 *
 * Return: 1 if there is a table to show, 0 if not, or a negative errno.
 */
int vpv_persona_msix(struct vpv_device *vpv, struct vpv_msix_table *table)
{
	struct msix hw, user;
	int shown, ret = 0;
	bool moved;

	if (!hw_msix(vpv->pdev, &hw))
		return 0;
	shown = 1;
	user = hw;
	if (vpv->state->persona)
		shown = user_msix(vpv, &user);
	if (shown < 0)
		return shown;
	moved = !shown || user.table != hw.table;
	if (moved)
		ret = vpv_bar_add_part(&vpv->state->bars[MSIX_BAR(hw.table)],
				       MSIX_POS(hw.table), TABLE_BYTES(&hw), NULL);
	if (!ret && shown)
		ret = place_pba(vpv, &hw, &user);
	/* In its place, the hardware's can be longer than the user's. */
	*table = (struct vpv_msix_table){
		.bar = MSIX_BAR(user.table),
		.pos = MSIX_POS(user.table),
		.bytes = TABLE_BYTES(moved ? &user : &hw),
	};
	return ret ? ret : shown;
}
