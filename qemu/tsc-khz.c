// SPDX-License-Identifier: GPL-2.0
/*
 * Print this machine's TSC frequency in kHz, which is also an emulated guest's.
 *
 * A guest on a busy host measures it wrong by any factor, and its clock and all
 * of its timeouts with it. Here it is measured against the host's clock: of many
 * pairs of readings the closest one counts, so that being preempted does no harm.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define APART_NS	100000000
#define TRIES		1000

struct pair {
	int64_t ns, tsc;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static struct pair read_pair(void)
{
	struct pair best = { 0, 0 };
	int64_t best_gap = INT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		int64_t before = __rdtsc();
		int64_t ns = now_ns();
		int64_t after = __rdtsc();

		if (after - before < best_gap) {
			best_gap = after - before;
			best = (struct pair){ ns, before + best_gap / 2 };
		}
	}
	return best;
}

int main(void)
{
	struct timespec apart = { 0, APART_NS };
	struct pair a = read_pair(), b;

	nanosleep(&apart, NULL);
	b = read_pair();
	printf("%lld\n", (long long)((b.tsc - a.tsc) * 1000000LL / (b.ns - a.ns)));
	return 0;
}
