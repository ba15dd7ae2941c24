/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share: sizes, errors, numbers as arguments, clocks, memory, and content that
 * can be verified. A program defines _GNU_SOURCE before it includes anything.
 */
#ifndef COMMON_H
#define COMMON_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uint64_t))
#define PAGES_PER_MIB (1048576UL / PAGE)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* Each program has its own, which does not return. */
static void print_usage(void);

/* Ends the program because of a failure that has set errno. */
static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(2);
}

static inline unsigned long number(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 0);

	if (!*s || *end)
		print_usage();
	return n;
}

static inline unsigned long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

static inline unsigned long now_us(void)
{
	return now_ns() / 1000;
}

/* As fork(), but it does not fail, and the child does not outlive its parent. */
static inline pid_t fork_task(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		_exit(2);
	return pid;
}

/* FLAGS say whether the memory is shared. */
static inline void *map_anon(size_t len, int flags)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static inline uint64_t *page_of(char *mem, unsigned long page)
{
	return (uint64_t *)(mem + page * PAGE);
}

/* splitmix64: one chain of multiplications and xors, which makes words unlike each other. */
static inline uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* A word of a page that cannot be compressed. */
static inline uint64_t scrambled(uint64_t key, unsigned long i)
{
	return key * (2 * i + 1) ^ (key >> 29) * (i + 7);
}

/*
 * A word of a page that only has to be unlike those of other pages. It costs one addition: under
 * emulation the content must not be the load.
 */
static inline uint64_t counted(uint64_t key, unsigned long i)
{
	return key + i * 0x9e3779b97f4a7c15ULL;
}

/* Fills a page from the word FROM on. */
static inline void put_words(uint64_t *p, unsigned long from, uint64_t key)
{
	for (unsigned long i = from; i < WORDS; i++)
		p[i] = counted(key, i);
}

static inline bool words_ok(const uint64_t *p, unsigned long from, uint64_t key)
{
	uint64_t diff = 0;

	for (unsigned long i = from; i < WORDS; i++)
		diff |= p[i] ^ counted(key, i);
	return !diff;
}

#endif /* COMMON_H */
