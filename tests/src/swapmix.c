// SPDX-License-Identifier: GPL-2.0
/*
 * swapmix - do to memory what tasks do while the kernel swaps it out: fork and copy on write, exit,
 * MADV_FREE, merge (KSM), move between nodes, and unmap, with huge pages and shared memory. It is
 * known what each page must hold, and each is verified at every turn: a page that is lost, stale,
 * another's or torn is caught.
 *
 * The exit code is 0 only if every page was right.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#ifndef MADV_FREE
#define MADV_FREE 8
#endif

enum verb { FORK, FREED, MERGE, MOVE, UNMAP, WRITE, READ, VERBS };

static const char *const names[VERBS] = {
	"fork", "freed", "merge", "move", "unmap", "write", "read",
};

static struct {
	unsigned long mib, tasks, seconds, seed;
	bool shmem, huge;
} opt = { .mib = 16, .tasks = 2, .seconds = 10, .seed = 1 };

static void print_usage(void)
{
	fputs("usage: swapmix [options]\n"
	      "  -m MIB      memory of a task (16)\n"
	      "  -n N        tasks (2)\n"
	      "  -T SECONDS  run that long (10)\n"
	      "  -s SEED     content and order (1)\n"
	      "  -t          shared memory (shmem)\n"
	      "  -H          huge pages\n",
	      stderr);
	exit(2);
}

/* A range of memory. The version of a page says which content it has. */
struct area {
	char *mem;
	unsigned long pages;
	uint32_t *version;
	/* Pages of one version are alike, so that they can be merged. */
	bool alike;
	/* The content of a page may be gone (zero), but not be another's. */
	bool *may_be_zero;
};

static uint64_t rng;
static unsigned long bad, checked, done[VERBS];

static unsigned long pick(unsigned long n)
{
	rng = mix(rng);
	return rng % n;
}

static uint64_t key_of(const struct area *a, unsigned long n, uint32_t version)
{
	return mix(opt.seed ^ mix((uint64_t)version << 32 ^ (a->alike ? 0 : n + 1)));
}

static void put(struct area *a, unsigned long n, uint32_t version)
{
	put_words(page_of(a->mem, n), 0, key_of(a, n, version));
	a->version[n] = version;
	if (a->may_be_zero)
		a->may_be_zero[n] = false;
}

static void prove(const struct area *a, unsigned long n, const char *when)
{
	const uint64_t *p = page_of(a->mem, n);
	uint64_t any = 0;

	checked++;
	if (words_ok(p, 0, key_of(a, n, a->version[n])))
		return;
	for (unsigned long i = 0; i < WORDS; i++)
		any |= p[i];
	if (!any && a->may_be_zero && a->may_be_zero[n])
		return;
	if (bad++ < 5)
		printf("swapmix: page %lu is wrong (%s): version %u was expected, it %s\n", n,
		       when, a->version[n], any ? "holds something else" : "is all zero");
}

static void prove_some(const struct area *a, unsigned long count, const char *when)
{
	while (count--)
		prove(a, pick(a->pages), when);
}

static void make(struct area *a, unsigned long pages, bool shared)
{
	a->pages = pages;
	a->mem = map_anon(pages * PAGE, (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE);
	a->version = calloc(pages, sizeof(*a->version));
	if (!a->version)
		die("memory");
	/* The versions must not be swapped out themselves. */
	if (mlock(a->version, pages * sizeof(*a->version)))
		die("mlock");
	if (opt.huge)
		madvise(a->mem, pages * PAGE, MADV_HUGEPAGE);
	for (unsigned long n = 0; n < pages; n++)
		put(a, n, 1);
}

/* A child shares all pages. It verifies some, and changes some for itself. */
static void do_fork(struct area *a)
{
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		if (errno == ENOMEM || errno == EAGAIN)
			return;
		die("fork");
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bad = 0;
		prove_some(a, 32, "in a child");
		for (int i = 0; i < 32 && !opt.shmem; i++) {
			unsigned long n = pick(a->pages);

			put(a, n, a->version[n] + 1000000);
			prove(a, n, "changed by a child");
		}
		_exit(bad ? 1 : 0);
	}
	/* Meanwhile the parent changes some pages, which the child still sees as they were. */
	for (int i = 0; i < 16 && !opt.shmem; i++) {
		unsigned long n = pick(a->pages);

		put(a, n, a->version[n] + 1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		bad++;
}

/* After MADV_FREE a page keeps its content, or is zero, until it is written. */
static void do_freed(struct area *a)
{
	unsigned long from = pick(a->pages), nr = pick(64) + 1;

	if (nr > a->pages - from)
		nr = a->pages - from;
	if (madvise(page_of(a->mem, from), nr * PAGE, MADV_FREE))
		die("MADV_FREE");
	for (unsigned long n = from; n < from + nr; n++)
		a->may_be_zero[n] = true;
	/* Some of them are used again at once. */
	for (unsigned long n = from; n < from + nr; n += 2)
		put(a, n, a->version[n] + 1);
	prove_some(a, 16, "freed");
}

/* Merged pages come apart when they are written. */
static void do_merge(struct area *a)
{
	unsigned long n = pick(a->pages);

	put(a, n, 1 + pick(3));
	prove(a, n, "merged");
	prove_some(a, 16, "merged");
}

/* Moves pages to another node, if there is one. */
static void do_move(struct area *a)
{
	void *pages[16];
	int nodes[16], status[16];

	for (int i = 0; i < 16; i++) {
		pages[i] = page_of(a->mem, pick(a->pages));
		nodes[i] = pick(2);
	}
	syscall(SYS_move_pages, 0, 16, pages, nodes, status, 2 /* MPOL_MF_MOVE */);
	prove_some(a, 16, "moved");
}

/* Unmaps pages, which come back as new ones. */
static void do_unmap(struct area *a)
{
	unsigned long from = pick(a->pages), nr = pick(32) + 1;

	if (nr > a->pages - from)
		nr = a->pages - from;
	if (mmap(page_of(a->mem, from), nr * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
	for (unsigned long n = from; n < from + nr; n++)
		put(a, n, a->version[n] + 1);
}

static int run_task(unsigned long task)
{
	unsigned long pages = opt.mib * PAGES_PER_MIB;
	struct area main = { 0 }, freed = { 0 }, alike = { .alike = true };
	unsigned long end;

	opt.seed += task * 1000;
	rng = mix(opt.seed);
	make(&main, pages - pages / 4, opt.shmem);
	make(&freed, pages / 8, false);
	freed.may_be_zero = calloc(freed.pages, sizeof(bool));
	if (!freed.may_be_zero)
		die("memory");
	make(&alike, pages / 8, false);
	/* Without KSM these pages are alike, but not merged. */
	madvise(alike.mem, alike.pages * PAGE, MADV_MERGEABLE);

	end = now_us() + opt.seconds * 1000000;
	while (now_us() < end) {
		enum verb verb = pick(VERBS);

		switch (verb) {
		case FORK:
			/* A fork takes long, so this one is rarer. */
			if (pick(4))
				continue;
			do_fork(&main);
			break;
		case FREED:
			do_freed(&freed);
			break;
		case MERGE:
			do_merge(&alike);
			break;
		case MOVE:
			do_move(&main);
			break;
		case UNMAP:
			if (opt.shmem)
				continue;
			do_unmap(&main);
			break;
		case WRITE: {
			unsigned long n = pick(main.pages);

			prove(&main, n, "before it is written");
			put(&main, n, main.version[n] + 1);
			break;
		}
		case READ:
			prove_some(&main, 8, "read");
			break;
		default:
			break;
		}
		done[verb]++;
	}
	for (unsigned long n = 0; n < main.pages; n++)
		prove(&main, n, "in the end");
	for (unsigned long n = 0; n < freed.pages; n++)
		prove(&freed, n, "freed, in the end");
	for (unsigned long n = 0; n < alike.pages; n++)
		prove(&alike, n, "merged, in the end");
	printf("task %lu:", task);
	for (int i = 0; i < VERBS; i++)
		printf(" %s %lu", names[i], done[i]);
	printf("\nverified %lu pages, %lu bad\n", checked, bad);
	fflush(stdout);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	int c, status, rc = 0;

	while ((c = getopt(argc, argv, "m:n:T:s:tH")) != -1) {
		switch (c) {
		case 'm':
			opt.mib = number(optarg);
			break;
		case 'n':
			opt.tasks = number(optarg);
			break;
		case 'T':
			opt.seconds = number(optarg);
			break;
		case 's':
			opt.seed = number(optarg);
			break;
		case 't':
			opt.shmem = true;
			break;
		case 'H':
			opt.huge = true;
			break;
		default:
			print_usage();
		}
	}
	if (optind != argc || opt.mib < 1 || !opt.tasks)
		print_usage();
	for (unsigned long i = 0; i < opt.tasks; i++)
		if (!fork_task())
			exit(run_task(i));
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			rc = 1;
	return rc;
}
