// SPDX-License-Identifier: GPL-2.0
/* vpvctl list: functions that VFIO can have, and what is known about them. */
#include <stdlib.h>
#include <string.h>

#include "mig.h"
#include "persona_now.h"
#include "vpvctl.h"

struct row {
	struct pci_fn fn;
	struct mig_info mig;
	char node[64];
	char choice[64];
	struct persona_now persona;
};

enum { COLUMNS = 9 };

static const char * const titles[COLUMNS] = {
	"DEVICE", "ID", "DRIVER", "VFIO-DRIVER", "GROUP", "NODE", "PERSONA",
	"MIGRATION", "STATE",
};

static void load_row(struct row *row, bool open)
{
	struct alias_choice choice;
	struct vfio_view view;
	char why[128];

	mig_load(&row->fn, &row->mig);
	persona_now_load(row->fn.bdf, &row->persona);
	pci_vfio_node(&row->fn, row->node, sizeof(row->node));
	if (!alias_choose(&row->fn, &choice))
		snprintf(row->choice, sizeof(row->choice), "%s", choice.module);
	if (open && !row->mig.features_known && !vfio_look(&row->fn, &view, why, sizeof(why))) {
		row->mig.features_known = true;
		row->mig.features = view.features;
	}
}

static void cells(const struct row *row, char cell[COLUMNS][64])
{
	snprintf(cell[0], 64, "%s", row->fn.bdf);
	snprintf(cell[1], 64, "%04x:%04x", row->fn.vendor, row->fn.device);
	snprintf(cell[2], 64, "%s", row->fn.driver);
	snprintf(cell[3], 64, "%s", row->choice);
	snprintf(cell[4], 64, "%s", row->fn.group);
	snprintf(cell[5], 64, "%s", row->node);
	persona_now_text(&row->persona, cell[6], 64);
	if (row->mig.features_known)
		mig_features_text(row->mig.features, cell[7], 64);
	else
		snprintf(cell[7], 64, "%s", row->fn.vfio[0] ? "?" : "");
	snprintf(cell[8], 64, "%s", row->mig.state);
	for (int c = 0; c < COLUMNS; c++)
		if (!cell[c][0])
			strcpy(cell[c], "-");
}

static void print_table(const struct row *rows, int n)
{
	char (*cell)[COLUMNS][64] = xalloc((n + 1) * sizeof(*cell));
	int width[COLUMNS];

	for (int i = 0; i < n; i++)
		cells(&rows[i], cell[i]);
	for (int c = 0; c < COLUMNS; c++) {
		width[c] = strlen(titles[c]);
		for (int i = 0; i < n; i++)
			if ((int)strlen(cell[i][c]) > width[c])
				width[c] = strlen(cell[i][c]);
	}
	for (int c = 0; c < COLUMNS - 1; c++)
		paint(PAINT_BOLD, "%-*s ", width[c], titles[c]);
	paint(PAINT_BOLD, "%s\n", titles[COLUMNS - 1]);
	for (int i = 0; i < n; i++) {
		for (int c = 0; c < COLUMNS - 1; c++)
			printf("%-*s ", width[c], cell[i][c]);
		if (!strcmp(rows[i].mig.state, "ERROR"))
			paint(PAINT_BAD, "%s\n", cell[i][COLUMNS - 1]);
		else
			printf("%s\n", cell[i][COLUMNS - 1]);
	}
	free(cell);
}

static struct json_object *row_json(const struct row *row)
{
	struct json_object *obj = json_object_new_object();

	put_text(obj, "device", row->fn.bdf);
	put_hex(obj, "vendor_id", 4, row->fn.vendor);
	put_hex(obj, "device_id", 4, row->fn.device);
	put_text_or_null(obj, "driver", row->fn.driver);
	put_flag(obj, "vfio", row->fn.vfio[0]);
	put_text_or_null(obj, "vfio_driver", row->choice);
	put_text_or_null(obj, "driver_override", row->fn.override);
	put_text_or_null(obj, "iommu_group", row->fn.group);
	put_text_or_null(obj, "node", row->node);
	json_object_object_add(obj, "persona", persona_now_json(&row->persona));
	json_object_object_add(obj, "migration", row->mig.features_known ?
			       mig_features_json(row->mig.features) : NULL);
	put_text_or_null(obj, "state", row->mig.state);
	return obj;
}

static void print_rows(const struct row *rows, int n)
{
	struct json_object *list;

	if (!vpvctl.json) {
		print_table(rows, n);
		return;
	}
	list = json_object_new_array();
	for (int i = 0; i < n; i++)
		json_object_array_add(list, row_json(&rows[i]));
	print_json(list, false);
}

static const struct option options[] = {
	{ "bound", no_argument, NULL, 'b' },
	{ "open", no_argument, NULL, 'o' },
	OPTIONS_COMMON
};

int cmd_list(int argc, char **argv)
{
	bool bound = false, open = false;
	struct pci_fn *fns;
	struct row *rows;
	int n, kept = 0, opt;

	while ((opt = next_option(argc, argv, options,
				  "list [--bound] [--open] [--json]")) != -1) {
		bound |= opt == 'b';
		open |= opt == 'o';
	}
	if (optind < argc)
		usage_error("unexpected '%s'", argv[optind]);

	n = pci_all(&fns);
	if (n < 0)
		return fail("cannot read /sys/bus/pci/devices: %s", strerror(-n));
	rows = xalloc((n + 1) * sizeof(*rows));
	for (int i = 0; i < n; i++) {
		bool capable = fns[i].group[0] && !pci_is_bridge(&fns[i]);

		if (!fns[i].vfio[0] && (bound || !capable))
			continue;
		rows[kept].fn = fns[i];
		load_row(&rows[kept++], open);
	}
	print_rows(rows, kept);
	free(rows);
	free(fns);
	return 0;
}
