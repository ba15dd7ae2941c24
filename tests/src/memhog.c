// SPDX-License-Identifier: GPL-2.0
/*
 * memhog - fill memory with content that can be verified, let the kernel swap it, and verify it.
 *
 * Every page holds words that follow from (seed, child, page number). A page that comes back stale,
 * swapped with another, zeroed or torn is caught. The exit code is 0 only if every page of every
 * pass and child was right.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define HUGE_ALIGN (2UL << 20)

/* This many pages are filled at once. They are fewer than lie between two watermarks. */
#define STEP 32

enum kind { ANON, SHMEM, MIXED };
enum fill { RANDOM, TEXT, ZERO };

static struct {
	enum kind kind;
	enum fill fill;
	unsigned long mib;
	unsigned long seed;
	unsigned long passes;
	unsigned long forks;
	unsigned long touch_s;
	unsigned long pace_us;
	unsigned long timeout_s;
	unsigned long swapped;
	unsigned long dirty;
	unsigned long free;
	bool until_dirty;
	bool shuffle;
	bool huge;
	bool advise;
	bool pageout;
	bool lock;
	bool corrupt;
	const char *ready;
	const char *go;
	const char *end;
} opt = {
	.kind = ANON, .fill = RANDOM, .mib = 16, .seed = 1, .passes = 1,
	.forks = 1, .timeout_s = 300, .advise = true,
};

static void print_usage(void)
{
	fputs("usage: memhog [options]\n"
	      "  -t anon|shmem|mixed  what kind of memory (anon)\n"
	      "  -m MIB               how much per task (16)\n"
	      "  -c random|text|zero  content: incompressible, compressible, zero\n"
	      "  -s SEED              content seed (1)\n"
	      "  -v N                 verify passes (1)\n"
	      "  -r                   verify in random order\n"
	      "  -n N                 tasks (1)\n"
	      "  -H                   MADV_HUGEPAGE (without it, MADV_NOHUGEPAGE)\n"
	      "  -A                   neither: huge pages as the system has it\n"
	      "  -p                   MADV_PAGEOUT the whole area after filling\n"
	      "  -l                   mlock it (ballast that takes memory away)\n"
	      "  -T SECONDS           keep rewriting and verifying this long\n"
	      "  -P USEC              pause that long for each MiB filled\n"
	      "  -U PAGES             fill only until the kernel has swapped out that many;\n"
	      "                       it is an error if it has not done so after MIB\n"
	      "  -D PAGES             the same, until no more pages of files are dirty\n"
	      "  -E FILE              the same, until FILE is there; memory that is filled is\n"
	      "                       written again and again until then (not with -T)\n"
	      "  -F PAGES             wait while fewer are free, so that kswapd alone reclaims\n"
	      "  -R FILE              create FILE when filled (and paged out)\n"
	      "  -G FILE              then wait for FILE before verifying\n"
	      "  -N                   nice: leave the CPU to others that want it\n"
	      "  -w SECONDS           give up after this (300)\n"
	      "  -X                   spoil one page (tests the verification)\n",
	      stderr);
	exit(2);
}

static uint64_t page_key(unsigned long child, unsigned long gen, unsigned long n)
{
	return mix(opt.seed ^ mix(child + 1) ^ mix(gen << 48 ^ n));
}

static uint64_t word(uint64_t key, unsigned long i)
{
	switch (opt.fill) {
	case RANDOM:
		return scrambled(key, i);
	case TEXT:
		return key ^ (i & 7);
	default:
		return 0;
	}
}

static void fill_page(uint64_t *p, uint64_t key)
{
	for (unsigned long i = 0; i < WORDS; i++)
		p[i] = word(key, i);
}

static bool page_ok(const uint64_t *p, uint64_t key)
{
	uint64_t diff = 0;

	for (unsigned long i = 0; i < WORDS; i++)
		diff |= p[i] ^ word(key, i);
	return !diff;
}

static char *map(enum kind kind, size_t len)
{
	int flags = kind == SHMEM ? MAP_SHARED : MAP_PRIVATE;
	char *p, *a;

	/* It is aligned so that huge pages can be used from the first byte. */
	p = map_anon(len + HUGE_ALIGN, flags | MAP_NORESERVE);
	a = (char *)(((uintptr_t)p + HUGE_ALIGN - 1) & ~(HUGE_ALIGN - 1));
	if (opt.advise)
		madvise(a, len, opt.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return a;
}

static void pause_us(unsigned long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/*
 * Tasks wait for each other when their memory is filled, so that all of it is in use at once,
 * however the scheduler treats them.
 */
static _Atomic unsigned long *filled;

static void meet(void)
{
	atomic_fetch_add(filled, 1);
	while (atomic_load(filled) < opt.forks)
		pause_us(1000);
}

static void create(const char *name)
{
	FILE *f = fopen(name, "w");

	if (!f || fclose(f))
		die(name);
}

struct area {
	char *base;
	unsigned long pages;
};

static uint64_t *page_at(const struct area *a, unsigned long n)
{
	/* If mixed, even MiB are in the first area, odd MiB in the second. */
	if (opt.kind != MIXED)
		return page_of(a[0].base, n);
	n = n / PAGES_PER_MIB / 2 * PAGES_PER_MIB + n % PAGES_PER_MIB +
	    (n / PAGES_PER_MIB & 1) * a[0].pages;
	if (n < a[0].pages)
		return page_of(a[0].base, n);
	return page_of(a[1].base, n - a[0].pages);
}

/* The first pages, as many as this, hold one generation more than the others. */
static unsigned long ahead;

static unsigned long verify(const struct area *a, unsigned long child,
			    unsigned long gen, unsigned long pages,
			    unsigned long pass)
{
	/* An odd stride walks every page of any power-of-two-sized block. */
	unsigned long stride = opt.shuffle ? mix(opt.seed + pass) | 1 : 1;
	unsigned long span = 1, bad = 0;

	while (span < pages)
		span <<= 1;
	for (unsigned long i = 0; i < span; i++) {
		unsigned long n = i * stride & (span - 1);
		bool newer = n < ahead;

		if (n >= pages)
			continue;
		if (page_ok(page_at(a, n), page_key(child, gen + newer, n)))
			continue;
		if (!bad++)
			fprintf(stderr, "memhog: task %lu pass %lu: page %lu is wrong\n",
				child, pass, n);
	}
	return bad;
}

/* Reads a counter of /proc/vmstat. */
static unsigned long counter(const char *key)
{
	unsigned long n;
	char line[128], name[64];
	FILE *f = fopen("/proc/vmstat", "r");

	if (!f)
		die("/proc/vmstat");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lu", name, &n) == 2 && !strcmp(name, key)) {
			fclose(f);
			return n;
		}
	}
	errno = ENODATA;
	die(key);
	return 0;
}

static unsigned long swapped_at_start;

/* Has what -U, -D or -E waits for happened? */
static bool is_enough(void)
{
	if (opt.end)
		return !access(opt.end, F_OK);
	if (opt.swapped)
		return counter("pswpout") - swapped_at_start >= opt.swapped;
	return counter("nr_dirty") + counter("nr_writeback") <= opt.dirty;
}

/* Writes one generation after another until that, and returns the last whole one. */
static unsigned long rewrite(const struct area *a, unsigned long child, unsigned long pages)
{
	for (unsigned long gen = 0;; gen++) {
		for (unsigned long n = 0; n < pages; n++) {
			fill_page(page_at(a, n), page_key(child, gen + 1, n));
			if (n % STEP == STEP - 1 && is_enough()) {
				ahead = n + 1;
				return gen;
			}
		}
	}
}

static int hog(unsigned long child)
{
	/* If mixed, there are whole pairs of MiB, so that both halves are equal. */
	unsigned long mib = opt.kind == MIXED ? (opt.mib + 1) & ~1UL : opt.mib;
	unsigned long pages = mib * PAGES_PER_MIB;
	unsigned long gen = 0, bad = 0, verified = 0;
	bool until = opt.swapped || opt.until_dirty || opt.end;
	bool enough = !until;
	struct area a[2] = {};
	unsigned long end;

	a[0].pages = opt.kind == MIXED ? pages / 2 : pages;
	a[0].base = map(opt.kind == SHMEM ? SHMEM : ANON, a[0].pages * PAGE);
	if (opt.kind == MIXED) {
		a[1].pages = pages / 2;
		a[1].base = map(SHMEM, a[1].pages * PAGE);
	}

	/* Locking fills memory with zeroes, a huge page at a time. */
	for (unsigned long n = 0; n < pages && !(opt.lock && opt.fill == ZERO); n++) {
		fill_page(page_at(a, n), page_key(child, gen, n));
		if (n % STEP != STEP - 1)
			continue;
		if (until && is_enough()) {
			pages = n + 1;
			enough = true;
		} else if (opt.pace_us) {
			pause_us(opt.pace_us / (PAGES_PER_MIB / STEP));
		}
		while (opt.free && counter("nr_free_pages") < opt.free)
			pause_us(1000);
	}
	if (!enough && opt.end) {
		gen = rewrite(a, child, pages);
		enough = true;
	}
	if (!enough) {
		fprintf(stderr, "memhog: %lu MiB did not do: %lu pages swapped out, %lu dirty\n",
			mib, counter("pswpout") - swapped_at_start,
			counter("nr_dirty") + counter("nr_writeback"));
		return 2;
	}
	if (opt.corrupt)
		*page_at(a, pages / 2) ^= 1;
	for (int i = 0; i < 2 && a[i].pages; i++) {
		if (opt.lock && mlock(a[i].base, a[i].pages * PAGE))
			die("mlock");
		if (opt.pageout &&
		    madvise(a[i].base, a[i].pages * PAGE, MADV_PAGEOUT))
			die("MADV_PAGEOUT");
	}
	if (opt.forks > 1)
		meet();
	if (opt.ready)
		create(opt.ready);
	/* -w limits this wait as well. */
	while (opt.go && access(opt.go, F_OK))
		pause_us(10000);

	end = now_us() + opt.touch_s * 1000000;
	while (opt.touch_s && now_us() < end) {
		bad += verify(a, child, gen, pages, gen);
		verified += pages;
		gen++;
		for (unsigned long n = 0; n < pages; n++)
			fill_page(page_at(a, n), page_key(child, gen, n));
	}
	for (unsigned long pass = 0; pass < opt.passes; pass++) {
		bad += verify(a, child, gen, pages, pass);
		verified += pages;
	}
	printf("memhog: task %lu verified %lu pages, %lu bad\n",
	       child, verified, bad);
	return bad ? 1 : 0;
}

static pid_t *tasks;
static volatile sig_atomic_t stopping;

/* When the parent is gone, the memory of all tasks must be free. */
static void kill_tasks(int sig)
{
	(void)sig;
	stopping = 1;
	for (unsigned long i = 0; i < opt.forks && tasks[i]; i++)
		kill(tasks[i], SIGKILL);
}

static int run_tasks(void)
{
	int rc = 0, status;

	if (opt.forks == 1)
		return hog(0);
	filled = map_anon(PAGE, MAP_SHARED);
	tasks = calloc(opt.forks, sizeof(*tasks));
	if (!tasks)
		die("calloc");
	signal(SIGTERM, kill_tasks);
	for (unsigned long i = 0; i < opt.forks; i++) {
		pid_t pid = fork_task();

		if (!pid) {
			signal(SIGTERM, SIG_DFL);
			alarm(opt.timeout_s);
			exit(hog(i));
		}
		tasks[i] = pid;
	}
	/* The signal may have come between a fork and its entry. */
	if (stopping)
		kill_tasks(SIGTERM);
	for (unsigned long i = 0; i < opt.forks; i++) {
		if (wait(&status) < 0)
			die("wait");
		if (!WIFEXITED(status)) {
			fprintf(stderr, "memhog: a task died of signal %d\n",
				WTERMSIG(status));
			rc = 1;
		} else if (WEXITSTATUS(status)) {
			rc = WEXITSTATUS(status);
		}
	}
	return rc;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "t:m:c:s:v:rn:HAplT:P:U:D:E:F:R:G:w:NX")) != -1) {
		switch (c) {
		case 't':
			if (!strcmp(optarg, "anon"))
				opt.kind = ANON;
			else if (!strcmp(optarg, "shmem"))
				opt.kind = SHMEM;
			else if (!strcmp(optarg, "mixed"))
				opt.kind = MIXED;
			else
				print_usage();
			break;
		case 'c':
			if (!strcmp(optarg, "random"))
				opt.fill = RANDOM;
			else if (!strcmp(optarg, "text"))
				opt.fill = TEXT;
			else if (!strcmp(optarg, "zero"))
				opt.fill = ZERO;
			else
				print_usage();
			break;
		case 'm':
			opt.mib = number(optarg);
			break;
		case 's':
			opt.seed = number(optarg);
			break;
		case 'v':
			opt.passes = number(optarg);
			break;
		case 'r':
			opt.shuffle = true;
			break;
		case 'n':
			opt.forks = number(optarg);
			break;
		case 'H':
			opt.huge = true;
			break;
		case 'A':
			opt.advise = false;
			break;
		case 'p':
			opt.pageout = true;
			break;
		case 'l':
			opt.lock = true;
			break;
		case 'T':
			opt.touch_s = number(optarg);
			break;
		case 'P':
			opt.pace_us = number(optarg);
			break;
		case 'U':
			opt.swapped = number(optarg);
			break;
		case 'D':
			opt.dirty = number(optarg);
			opt.until_dirty = true;
			break;
		case 'E':
			opt.end = optarg;
			break;
		case 'F':
			opt.free = number(optarg);
			break;
		case 'R':
			opt.ready = optarg;
			break;
		case 'G':
			opt.go = optarg;
			break;
		case 'w':
			opt.timeout_s = number(optarg);
			break;
		case 'N':
			if (nice(10) == -1)
				die("nice");
			break;
		case 'X':
			opt.corrupt = true;
			break;
		default:
			print_usage();
		}
	}
	if (optind != argc || !opt.mib || !opt.forks || (opt.end && opt.touch_s))
		print_usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(opt.timeout_s);
	swapped_at_start = counter("pswpout");
	return run_tasks();
}
