// SPDX-License-Identifier: GPL-2.0
/* Runs a fuzzer's target once for each file of a folder: replay FOLDER. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_BYTES (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int run(const char *folder, const char *name)
{
	static uint8_t data[MOST_BYTES];
	char path[4096];
	size_t bytes;
	FILE *from;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	from = fopen(path, "rb");
	if (!from)
		return -1;
	bytes = fread(data, 1, sizeof(data), from);
	fclose(from);
	return LLVMFuzzerTestOneInput(data, bytes);
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	unsigned int done = 0;

	if (!folder) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 2;
	}
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.' && !run(argv[1], entry->d_name))
			done++;
	closedir(folder);
	printf("corpus: %u inputs\n", done);
	return done ? 0 : 1;
}
