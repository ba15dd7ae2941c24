/* SPDX-License-Identifier: GPL-2.0 */
/* What the workloads share: sizes, numbers as arguments, and where content comes from. */
#ifndef COMMON_H
#define COMMON_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uint64_t))
#define PAGES_PER_MIB (1048576UL / PAGE)

/* Each workload's own; does not return. */
static void print_usage(void);

static inline unsigned long number(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 0);

	if (!*s || *end)
		print_usage();
	return n;
}

static inline unsigned long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000UL + ts.tv_nsec / 1000;
}

/* splitmix64: one multiply-xor chain a word, good enough to be unlike. */
static inline uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

#endif /* COMMON_H */
