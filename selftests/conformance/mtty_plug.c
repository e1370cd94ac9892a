// SPDX-License-Identifier: GPL-2.0
/*
 * --busy and --verify for mtty of samples/vfio-mdev, and an example of such a program:
 * mtty_plug busy|verify.  The work is a scratch register and what waits in the loopback.
 */
#include <linux/serial_reg.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define WAITING	5

static int device;
static uint64_t port;

static int number(const char *name)
{
	const char *text = getenv(name);

	if (!text) {
		fprintf(stderr, "# mtty_plug: %s is not set\n", name);
		exit(2);
	}
	return atoi(text);
}

static uint8_t get(unsigned int reg)
{
	uint8_t val = 0;

	if (pread(device, &val, 1, port + reg) != 1)
		perror("# mtty_plug: read");
	return val;
}

static void put(unsigned int reg, uint8_t val)
{
	if (pwrite(device, &val, 1, port + reg) != 1)
		perror("# mtty_plug: write");
}

static void busy(uint8_t tag)
{
	put(UART_LCR, UART_LCR_WLEN8);
	put(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	put(UART_SCR, tag);
	for (unsigned int i = 0; i < WAITING; i++)
		put(UART_TX, tag + i);
}

static int verify(uint8_t tag)
{
	unsigned int wrong = get(UART_SCR) != tag;

	for (unsigned int i = 0; i < WAITING; i++)
		wrong += get(UART_RX) != (uint8_t)(tag + i);
	wrong += get(UART_LSR) & UART_LSR_DR;
	if (wrong)
		printf("# mtty_plug: %u things are not as they were\n", wrong);
	return wrong;
}

int main(int argc, char **argv)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	uint8_t *memory;

	device = number("CONFORMANCE_FD");
	/* What must be remembered from one call to the next goes here. */
	memory = mmap(NULL, number("CONFORMANCE_MEM_BYTES"), PROT_READ | PROT_WRITE, MAP_SHARED,
		      number("CONFORMANCE_MEM_FD"), 0);
	if (argc != 2 || memory == MAP_FAILED ||
	    ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info)) {
		fprintf(stderr, "# mtty_plug: no such device\n");
		return 2;
	}
	port = info.offset;
	if (strcmp(argv[1], "busy"))
		return !!verify(memory[0]);
	busy(++memory[0]);
	return 0;
}
