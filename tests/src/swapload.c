// SPDX-License-Identifier: GPL-2.0
/*
 * swapload - use more memory than there is. Each task fills its share, then touches random pages
 * of it for a while. Every page is verified at every touch, and every touch is timed: a page
 * fault that waits for swap takes long. One more task may ask for memory of a higher order
 * meanwhile.
 *
 * Numbers come out as `key value` lines. The exit code is 0 only if every page was right.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

/* Times are counted in eighths of an octave of microseconds. */
#define SUB 8
#define BUCKETS (32 * SUB)

/* The orders of anonymous memory, and how long the task of -O rests after each try. */
#define MIN_ORDER 2
#define MAX_ORDER 9
#define HIGH_REST_US 20000

static struct {
	unsigned long mib, tasks, seconds, slow_us, writes, seed, order;
	bool shmem, huge, all;
	const char *key, *go;
} opt = { .mib = 16, .tasks = 1, .seconds = 5, .slow_us = 100, .seed = 1, .key = "swap" };

struct task {
	pid_t pid;
	/* It has filled its memory, or is gone. Nobody waits for it any more. */
	_Atomic bool ready;
	unsigned long fill_us, touches, proven, slow, bad, faults;
	unsigned long fill_longest_us, longest_us;
	unsigned long hist[BUCKETS];
};

/* What the kernel counted for the whole machine. */
struct machine {
	unsigned long system_us, swapped;
};

static struct shared {
	struct machine began, filled;
	struct task high;
	struct task tasks[];
} *shared;

static void print_usage(void)
{
	fputs("usage: swapload [options]\n"
	      "  -m MIB      memory of a task (16)\n"
	      "  -n N        tasks (1)\n"
	      "  -T SECONDS  touch random pages for that long (5)\n"
	      "  -W PERCENT  share of the touches that write (0)\n"
	      "  -t          shared memory (shmem)\n"
	      "  -H          huge pages\n"
	      "  -O ORDER    one more task takes and gives back memory of that order, 2 to 9,\n"
	      "              once all memory is filled (not with -H)\n"
	      "  -L USEC     a touch that took this long counts as slow (100)\n"
	      "  -s SEED     content and order (1)\n"
	      "  -k KEY      prefix of the keys of numbers (swap)\n"
	      "  -G FILE     go on touching until FILE is there\n"
	      "  -A          verify all pages in the end; nothing else is ever swapped out\n",
	      stderr);
	exit(2);
}

/* The first word of a page says how often it was written. The rest follows from that. */
static uint64_t page_key(unsigned long task, unsigned long page, uint64_t version)
{
	return mix(opt.seed ^ mix(task + 1) ^ mix(version << 40 ^ page));
}

static void put(uint64_t *p, unsigned long task, unsigned long page, uint64_t version)
{
	p[0] = version;
	put_words(p, 1, page_key(task, page, version));
}

static bool ok(const uint64_t *p, unsigned long task, unsigned long page)
{
	return words_ok(p, 1, page_key(task, page, p[0]));
}

static unsigned int bucket(unsigned long us)
{
	unsigned int octave = us < SUB ? 0 : 60 - __builtin_clzl(us);
	unsigned int b = octave * SUB + (us >> octave);

	return b < BUCKETS ? b : BUCKETS - 1;
}

static unsigned long bucket_us(unsigned int b)
{
	return b < 2 * SUB ? b : (unsigned long)(b % SUB + SUB) << (b / SUB - 1);
}

static void account(struct task *t, unsigned long us, unsigned long *longest)
{
	if (us > *longest)
		*longest = us;
	if (us < opt.slow_us)
		return;
	t->slow++;
	t->hist[bucket(us)]++;
}

static void until_filled(void)
{
	for (unsigned long i = 0; i < opt.tasks; i++)
		while (!atomic_load(&shared->tasks[i].ready))
			usleep(1000);
}

static struct machine machine_now(void)
{
	struct machine m = { 0 };
	unsigned long ticks, value;
	char line[256], name[64];
	FILE *f;

	f = fopen("/proc/stat", "r");
	if (!f || fscanf(f, "cpu %*u %*u %lu", &ticks) != 1)
		die("/proc/stat");
	fclose(f);
	m.system_us = ticks * (1000000 / sysconf(_SC_CLK_TCK));
	f = fopen("/proc/vmstat", "r");
	if (!f)
		die("/proc/vmstat");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu", name, &value) == 2 &&
		    (!strcmp(name, "pswpin") || !strcmp(name, "pswpout")))
			m.swapped += value;
	fclose(f);
	return m;
}

/* Verifies that every page is as it was last written. */
static void prove_all(struct task *t, char *mem, unsigned long n, const uint32_t *versions)
{
	for (unsigned long i = 0; i < opt.mib * PAGES_PER_MIB; i++) {
		uint64_t *p = page_of(mem, i);
		unsigned long at = now_us();

		*(volatile uint64_t *)p;
		account(t, now_us() - at, &t->longest_us);
		if (p[0] != versions[i] || !ok(p, n, i))
			t->bad++;
		t->proven++;
	}
}

/* Is it time to end? */
static bool is_over(unsigned long start, unsigned long at)
{
	return at - start >= opt.seconds * 1000000 && (!opt.go || !access(opt.go, F_OK));
}

static int run_task(unsigned long n)
{
	unsigned long pages = opt.mib * PAGES_PER_MIB, start = now_us(), at = start, i;
	struct task *t = &shared->tasks[n];
	uint64_t rng = mix(opt.seed + n + 1);
	uint32_t *versions;
	struct rusage ru;
	char *mem;

	/* If the task lost a page of its own to a bad device, it could not report that. */
	if (opt.all && mlockall(MCL_CURRENT))
		die("mlockall");
	mem = map_anon(pages * PAGE, (opt.shmem ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE);
	madvise(mem, pages * PAGE, opt.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	versions = calloc(pages, sizeof(*versions));
	if (!versions || mlock(versions, pages * sizeof(*versions)))
		die("memory for the versions");
	for (i = 0; i < pages; i++) {
		put(page_of(mem, i), n, i, 0);
		account(t, now_us() - at, &t->fill_longest_us);
		at = now_us();
	}
	t->fill_us = at - start;
	/* From here on the memory of all tasks is in use at once. */
	atomic_store(&t->ready, true);
	until_filled();
	if (!n)
		shared->filled = machine_now();

	start = now_us();
	for (at = start; !is_over(start, at); at = now_us()) {
		uint64_t *p;
		unsigned long us;

		rng = mix(rng);
		i = rng % pages;
		p = page_of(mem, i);
		at = now_us();
		*(volatile uint64_t *)p;
		us = now_us() - at;
		if (p[0] != versions[i] || !ok(p, n, i))
			t->bad++;
		if ((rng >> 40) % 100 < opt.writes) {
			unsigned long wrote = now_us();

			put(p, n, i, ++versions[i]);
			us += now_us() - wrote;
		}
		account(t, us, &t->longest_us);
		t->touches++;
	}
	if (opt.all)
		prove_all(t, mem, n, versions);
	getrusage(RUSAGE_SELF, &ru);
	t->faults = ru.ru_majflt;
	return t->bad ? 1 : 0;
}

/* Reads what the kernel counts of faults that asked for the order of -O. */
static unsigned long high_stat(const char *name)
{
	char path[128];
	unsigned long value;
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/transparent_hugepage/hugepages-%lukB/stats/anon_fault_%s",
		 (PAGE << opt.order) / 1024, name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lu", &value) != 1)
		die(path);
	fclose(f);
	return value;
}

/* Touches an area of that order for the first time, and returns how long that took. */
static unsigned long touch_high(void)
{
	size_t size = PAGE << opt.order;
	unsigned long us;
	char *mem, *area;

	mem = map_anon(2 * size, MAP_PRIVATE | MAP_NORESERVE);
	area = (char *)(((uintptr_t)mem + size - 1) & -size);
	/* The VMA has just this size, so that no larger order fits. */
	if (madvise(area, size, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	us = now_us();
	*(volatile char *)area = 1;
	us = now_us() - us;
	munmap(mem, 2 * size);
	return us;
}

/* Without that setting every fault gets small pages, and nothing is counted. */
static void need_high(void)
{
	unsigned long seen = high_stat("alloc") + high_stat("fallback");

	touch_high();
	if (high_stat("alloc") + high_stat("fallback") != seen)
		return;
	fprintf(stderr, "swapload: no fault of order %lu: hugepages-%lukB/enabled is not madvise\n",
		opt.order, (PAGE << opt.order) / 1024);
	exit(2);
}

static int run_high(unsigned long)
{
	struct task *t = &shared->high;
	unsigned long start;

	/* The area has to wait for memory, but not the pages of this task itself. */
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	until_filled();
	start = now_us();
	while (now_us() - start < opt.seconds * 1000000) {
		unsigned long us = touch_high();

		if (us > t->longest_us)
			t->longest_us = us;
		t->hist[bucket(us)]++;
		t->touches++;
		usleep(HIGH_REST_US);
	}
	return 0;
}

static void say(const char *name, unsigned long value)
{
	printf("%s.%s %lu\n", opt.key, name, value);
}

/* The time within which a share of these touches was done. */
static unsigned long percentile(const unsigned long *hist, unsigned long count,
				unsigned int per_mille)
{
	unsigned long left = count * per_mille / 1000;

	for (unsigned int b = 0; b < BUCKETS; b++) {
		if (hist[b] > left)
			return bucket_us(b);
		left -= hist[b];
	}
	return 0;
}

static void report(void)
{
	struct task all = { 0 };
	unsigned long least = ~0UL;

	for (unsigned long i = 0; i < opt.tasks; i++) {
		const struct task *t = &shared->tasks[i];

		if (t->fill_us > all.fill_us)
			all.fill_us = t->fill_us;
		if (t->fill_longest_us > all.fill_longest_us)
			all.fill_longest_us = t->fill_longest_us;
		if (t->longest_us > all.longest_us)
			all.longest_us = t->longest_us;
		if (t->touches < least)
			least = t->touches;
		all.touches += t->touches;
		all.proven += t->proven;
		all.slow += t->slow;
		all.bad += t->bad;
		all.faults += t->faults;
		for (unsigned int b = 0; b < BUCKETS; b++)
			all.hist[b] += t->hist[b];
	}
	say("fill_ms", all.fill_us / 1000);
	say("fill_longest_us", all.fill_longest_us);
	/* Not if the first task was killed. */
	if (shared->filled.system_us) {
		say("fill_system_us", shared->filled.system_us - shared->began.system_us);
		say("fill_swapped", shared->filled.swapped - shared->began.swapped);
	}
	say("touches", all.touches);
	say("touches_least", least);
	say("touch_longest_us", all.longest_us);
	say("longest_us", all.longest_us > all.fill_longest_us ? all.longest_us :
								 all.fill_longest_us);
	say("slow", all.slow);
	say("slow_p50_us", percentile(all.hist, all.slow, 500));
	say("slow_p99_us", percentile(all.hist, all.slow, 990));
	say("major_faults", all.faults);
	if (opt.all)
		say("proven", all.proven);
	printf("verified %lu touches, %lu bad\n", all.touches, all.bad);
}

static void report_high(unsigned long got)
{
	const struct task *t = &shared->high;

	say("high_tries", t->touches);
	say("high_got", got);
	say("high_p50_us", percentile(t->hist, t->touches, 500));
	say("high_p99_us", percentile(t->hist, t->touches, 990));
	say("high_longest_us", t->longest_us);
}

/* The first task may be killed for memory, and then the others end with it. */
static pid_t start_task(int (*run)(unsigned long n), unsigned long n)
{
	pid_t pid = fork_task();

	if (!pid)
		_exit(run(n));
	return pid;
}

/* Returns 0 if all ended well. If one is killed, the others go on. */
static int wait_for_all(void)
{
	int status, rc = 0;
	pid_t pid;

	while ((pid = wait(&status)) > 0) {
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		rc = 1;
		if (WIFSIGNALED(status))
			say("signal", WTERMSIG(status));
		for (unsigned long i = 0; i < opt.tasks; i++)
			if (shared->tasks[i].pid == pid)
				atomic_store(&shared->tasks[i].ready, true);
	}
	return rc;
}

int main(int argc, char **argv)
{
	unsigned long got = 0;
	size_t size;
	int c, rc;

	while ((c = getopt(argc, argv, "m:n:T:W:tHO:L:s:k:G:A")) != -1) {
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
		case 'W':
			opt.writes = number(optarg);
			break;
		case 't':
			opt.shmem = true;
			break;
		case 'H':
			opt.huge = true;
			break;
		case 'O':
			opt.order = number(optarg);
			if (opt.order < MIN_ORDER || opt.order > MAX_ORDER)
				print_usage();
			break;
		case 'L':
			opt.slow_us = number(optarg);
			break;
		case 's':
			opt.seed = number(optarg);
			break;
		case 'k':
			opt.key = optarg;
			break;
		case 'G':
			opt.go = optarg;
			break;
		case 'A':
			opt.all = true;
			break;
		default:
			print_usage();
		}
	}
	if (optind != argc || !opt.mib || !opt.tasks || (opt.order && opt.huge))
		print_usage();
	size = sizeof(*shared) + opt.tasks * sizeof(struct task);
	shared = map_anon(size, MAP_SHARED);
	if (mlock(shared, size))
		die("mlock");
	if (opt.order) {
		need_high();
		got = high_stat("alloc");
		start_task(run_high, 0);
	}
	shared->began = machine_now();
	for (unsigned long i = 0; i < opt.tasks; i++)
		shared->tasks[i].pid = start_task(run_task, i);
	if (opt.all && mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	setvbuf(stdout, NULL, _IOLBF, 0);
	rc = wait_for_all();
	if (opt.order)
		report_high(high_stat("alloc") - got);
	report();
	return rc;
}
