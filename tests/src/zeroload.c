// SPDX-License-Identifier: GPL-2.0
/*
 * zeroload - touch pages with zeros and have them paged out (MADV_PAGEOUT), over and over. Each
 * page goes the whole way through pageout() and needs no I/O, so that under QEMU's -icount the
 * time is the number of instructions. With "swap" it only touches pages that are not zero: the
 * limit of its cgroup pages them out, and touching them again reads them. With "alloc" pages are
 * allocated and freed again, and nobody reclaims.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common.h"

static void print_usage(void)
{
	fprintf(stderr, "usage: zeroload MIB ROUNDS [swap|alloc]\n"
		"Prints nanoseconds for each page that was touched, and paged out or freed, per round.\n");
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned long pages, rounds, began, i, n;
	bool swap = argc == 4 && !strcmp(argv[3], "swap");
	bool alloc = argc == 4 && !strcmp(argv[3], "alloc");
	int advice = alloc ? MADV_DONTNEED : MADV_PAGEOUT;
	char *area;

	if (argc != 3 && !swap && !alloc)
		print_usage();
	pages = number(argv[1]) * PAGES_PER_MIB;
	rounds = number(argv[2]);
	if (!pages || !rounds)
		print_usage();
	area = map_anon(pages * PAGE, MAP_PRIVATE);
	madvise(area, pages * PAGE, MADV_NOHUGEPAGE);
	for (n = 0; n < rounds; n++) {
		began = now_ns();
		for (i = 0; i < pages; i++)
			*(volatile unsigned long *)(area + i * PAGE) = swap ? n + i + 1 : 0;
		if (!swap && madvise(area, pages * PAGE, advice))
			die("madvise");
		printf("round.%lu.ns_per_page %.1f\n", n, (double)(now_ns() - began) / pages);
	}
	return 0;
}
