// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test guest. main() is a flat list of stages; a stage that cannot
 * do its work ends the run with one line, and then no verdict says "done 0".
 *
 * The kernel command line says what to do:
 *   rwb.run=<name>[,<name>...]	scripts to run in this order (below /tests, or
 *				with the full path); "shell" is a shell
 *   rwb.timeout=<seconds>	limit of a script that names none
 *   rwb.slow=<n>		all limits times n (slow debug kernels)
 *   rwb.<name>=<value>		every one reaches the scripts as RWB_<NAME>
 *
 * What comes back, each over a virtio port of its own:
 *   reclaimwb.ktap		the scripts' KTAP, as it happens
 *   reclaimwb.progress		a sign of life every few seconds
 *   reclaimwb.results		tar of /results
 *   reclaimwb.verdict		one line, written last
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __noreturn		__attribute__((noreturn))

#define TESTS_DIR		"/tests/"
#define RESULTS_DIR		"/results"
#define BADNESS_FILE		TESTS_DIR "console-badness.txt"
#define MODULES_FILE		"/etc/modules"
#define KMSG_MARK		"rwb-init: begin "

#define PORT_WAIT_MS		10000
#define PROGRESS_MS		5000
#define DEFAULT_TIMEOUT_S	180
#define RC_TIMEOUT		124	/* as timeout(1) */
#define RC_SKIP			4	/* as kselftest */

/* kmemleak reports no object younger than this (MSECS_MIN_AGE). */
#define KMEMLEAK_AGE_S		5

/* Taints that are no finding: out-of-tree module, unsigned module, KUnit ran. */
#define TAINT_ALLOWED		(1UL << 12 | 1UL << 13 | 1UL << 18)

static const struct {
	const char *dir, *type, *options;
	bool optional;
} mounts[] = {
	{ "/proc",			"proc" },
	{ "/sys",			"sysfs" },
	{ "/dev",			"devtmpfs" },
	{ "/dev/pts",			"devpts",	NULL,		true },
	{ "/dev/shm",			"tmpfs" },
	{ "/tmp",			"tmpfs" },
	{ "/run",			"tmpfs" },
	{ RESULTS_DIR,			"tmpfs" },
	{ "/sys/kernel/debug",		"debugfs" },
	{ "/sys/kernel/tracing",	"tracefs" },
	{ "/sys/fs/cgroup",		"cgroup2",	NULL,		true },
	{ "/sys/fs/bpf",		"bpf",		NULL,		true },
};

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd",		"/proc/self/fd" },
	{ "/dev/stdin",		"/proc/self/fd/0" },
	{ "/dev/stdout",	"/proc/self/fd/1" },
	{ "/dev/stderr",	"/proc/self/fd/2" },
	{ "/etc/mtab",		"/proc/self/mounts" },
};

static const struct {
	const char *name, *value;
	bool optional;
} sysctls[] = {
	{ "kernel/hostname",		"reclaimwb" },
	{ "kernel/panic",		"-1" },
	{ "kernel/panic_on_oops",	"1" },
	/* panic_on_warn is on the command line: a kernel with KCSAN is to go on */
	{ "kernel/hung_task_panic",	"1",	true },
	{ "kernel/sysrq",		"1",	true },
	/* the tests put markers into the kernel log: none may be rate-limited away */
	{ "kernel/printk_devkmsg",	"on" },
	{ "kernel/kptr_restrict",	"0" },
	{ "kernel/perf_event_paranoid",	"-1",	true },
};

/* QEMU's user network: we are .15, the host's loopback is .2 */
static const char *const network[][8] = {
	{ "ip", "link", "set", "lo", "up" },
	{ "ip", "addr", "add", "10.0.2.15/24", "dev", "eth0" },
	{ "ip", "link", "set", "eth0", "up" },
	{ "ip", "route", "add", "default", "via", "10.0.2.2" },
};

struct port {
	const char *name;
	int fd;
};

static struct port ktap = { "reclaimwb.ktap", -1 };
static struct port progress = { "reclaimwb.progress", -1 };
static struct port results = { "reclaimwb.results", -1 };
static struct port verdict = { "reclaimwb.verdict", -1 };

static struct port *const ports[] = { &ktap, &progress, &results, &verdict };

static char *run_list;
static unsigned int default_timeout = DEFAULT_TIMEOUT_S;
static unsigned int slow = 1;
static unsigned int failures;		/* of scripts, and of our own checks */
static unsigned int checks, failed_checks;

/* ---- saying things ---- */

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		buf += n;
		len -= n;
	}
}

static __printf(2, 3) void put(int fd, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (fd >= 0 && len > 0)
		write_all(fd, line, len);
}

static void power_off(void)
{
	/* A guest whose disks nobody looks at again need not wait for them. */
	if (!getenv("RWB_NOSYNC"))
		sync();
	/*
	 * With -no-reboot a reset ends QEMU, and it works without ACPI too,
	 * which power-off does not.
	 */
	reboot(RB_AUTOBOOT);
	_exit(1);
}

static __printf(1, 2) __noreturn void die(const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	put(STDERR_FILENO, "init: %s\n", why);
	put(verdict.fd, "failed: %s\n", why);
	power_off();
	__builtin_unreachable();
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void pause_ms(unsigned int ms)
{
	poll(NULL, 0, ms);
}

/* ---- small file helpers ---- */

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len >= 0)
		buf[len] = '\0';
	return len;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = write(fd, text, strlen(text));
	close(fd);
	return len < 0 ? -1 : 0;
}

/* Runs one command to its end, its output going to @out. */
static int run_command(const char *const argv[], int out)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- stages: set up ---- */

static void lock_memory(void)
{
	/* Under memory pressure PID 1 must still be able to show that the guest lives. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
}

static void mount_filesystems(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, mounts[i].options) &&
		    !mounts[i].optional)
			die("mount %s on %s: %s", mounts[i].type, mounts[i].dir, strerror(errno));
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, links[i].path) && errno != EEXIST)
			die("symlink %s: %s", links[i].path, strerror(errno));
}

static void read_command_line(void)
{
	static char cmdline[4096];

	if (read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		die("read /proc/cmdline: %s", strerror(errno));
	for (char *word = strtok(cmdline, "\n "); word; word = strtok(NULL, "\n ")) {
		char name[64] = "RWB_";
		char *value = strchr(word, '=');
		size_t n = 4;

		if (strncmp(word, "rwb.", 4) || !value)
			continue;
		*value++ = '\0';
		for (char *c = word + 4; *c && n < sizeof(name) - 1; c++)
			name[n++] = isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_';
		setenv(name, value, 1);
		if (!strcmp(word, "rwb.run"))
			run_list = value;
		else if (!strcmp(word, "rwb.timeout"))
			default_timeout = strtoul(value, NULL, 10);
		else if (!strcmp(word, "rwb.slow"))
			slow = strtoul(value, NULL, 10);
	}
	if (!default_timeout || !slow)
		die("rwb.timeout and rwb.slow must be numbers above 0");
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin:/tests/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("RWB_RESULTS", RESULTS_DIR, 1);
	setenv("RWB_VM", "qemu", 1);
}

/* A distribution's kernel has even its virtio ports in modules. */
static void load_modules(void)
{
	char name[64];
	FILE *f = fopen(MODULES_FILE, "re");

	while (f && fgets(name, sizeof(name), f)) {
		const char *const modprobe[] = { "modprobe", name, NULL };

		name[strcspn(name, "\n")] = '\0';
		if (run_command(modprobe, STDERR_FILENO))
			die("modprobe %s failed", name);
	}
	if (f)
		fclose(f);
}

static bool open_port(struct port *port)
{
	char path[64 + 256], name[64];
	struct dirent *entry;
	DIR *dir;

	if (port->fd >= 0)
		return true;
	dir = opendir("/sys/class/virtio-ports");
	while (dir && port->fd < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		if (entry->d_name[0] == '.' || read_file(path, name, sizeof(name)) <= 0)
			continue;
		name[strcspn(name, "\n")] = '\0';
		if (strcmp(name, port->name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		port->fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return port->fd >= 0;
}

static void open_ports(void)
{
	long long deadline = now_ms() + PORT_WAIT_MS;
	size_t i = 0;

	while (i < ARRAY_SIZE(ports)) {
		if (open_port(ports[i]))
			i++;
		else if (now_ms() > deadline)
			die("no virtio port %s", ports[i]->name);
		else
			pause_ms(20);
	}
}

static void set_sysctls(void)
{
	char path[128], line[64];

	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		snprintf(path, sizeof(path), "/proc/sys/%s", sysctls[i].name);
		snprintf(line, sizeof(line), "%s\n", sysctls[i].value);
		if (write_file(path, line) && !(sysctls[i].optional && errno == ENOENT))
			die("sysctl %s=%s: %s", sysctls[i].name, sysctls[i].value, strerror(errno));
	}
}

static void start_network(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(network); i++)
		if (run_command(network[i], STDERR_FILENO))
			die("network: 'ip %s %s ...' failed", network[i][1], network[i][2]);
}

static void clear_leaks(void)
{
	/* What the kernel leaked while it booted is not ours to report. */
	write_file("/sys/kernel/debug/kmemleak", "clear");
}

/* ---- stage: run the scripts ---- */

struct stream {
	int fd;
	const char *prefix;	/* put before a line that does not begin with '#' */
	size_t len;
	char buf[4096];
};

static void put_line(struct stream *s, size_t len)
{
	const char *prefix = s->buf[0] == '#' ? "" : s->prefix;
	char line[sizeof(s->buf) + 8];

	/* one write for a line: the port takes it as one buffer */
	write_all(ktap.fd, line,
		  snprintf(line, sizeof(line), "%s%.*s\n", prefix, (int)len, s->buf));
}

static void put_complete_lines(struct stream *s)
{
	char *end;

	while ((end = memchr(s->buf, '\n', s->len)) || s->len == sizeof(s->buf)) {
		size_t len = end ? (size_t)(end - s->buf) : s->len;
		size_t used = end ? len + 1 : len;

		put_line(s, len);
		memmove(s->buf, s->buf + used, s->len - used);
		s->len -= used;
	}
}

/* Takes what is there now; false once the stream has ended. */
static bool pump(struct stream *s)
{
	for (;;) {
		ssize_t n = read(s->fd, s->buf + s->len, sizeof(s->buf) - s->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (!n)
			return false;
		s->len += n;
		put_complete_lines(s);
	}
}

static void end_stream(struct stream *s)
{
	if (s->fd < 0)
		return;
	pump(s);
	if (s->len)
		put_line(s, s->len);
	close(s->fd);
	s->fd = -1;
	s->len = 0;
}

/* A test script says "# timeout: <seconds>" among its first comment lines. */
static unsigned int script_timeout(const char *path)
{
	unsigned int seconds = default_timeout;
	char line[512];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f) && (line[0] == '#' || line[0] == '\n'))
		if (sscanf(line, "# timeout: %u", &seconds) == 1)
			break;
	if (f)
		fclose(f);
	return seconds * slow;
}

static pid_t start_script(const char *path, int out, int err)
{
	const char *const shell[] = { "setsid", "cttyhack", "sh", "-l", NULL };
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!strcmp(path, "shell")) {
		execvp(shell[0], (char *const *)shell);
		_exit(127);
	}
	setsid();
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (chdir(TESTS_DIR))
		_exit(127);
	execl(path, path, NULL);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

static void show_life(const char *name)
{
	char buf[2048], *free_kb = NULL;

	if (read_file("/proc/meminfo", buf, sizeof(buf)) > 0)
		free_kb = strstr(buf, "MemFree:");
	put(progress.fd, "%lld %s MemFree %lu\n", now_ms() / 1000, name,
	    free_kb ? strtoul(free_kb + 8, NULL, 10) : 0);
}

/* Whatever outlives its script would sit in the next one's numbers. */
static void kill_leftovers(void)
{
	char path[64 + 256], comm[64];
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);

		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		if (pid <= 1 || readlink(path, comm, sizeof(comm)) < 0)
			continue;	/* a kernel thread, or already gone */
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (read_file(path, comm, sizeof(comm)) <= 0)
			continue;
		comm[strcspn(comm, "\n")] = '\0';
		put(ktap.fd, "# init: killed left-over process %s[%d]\n", comm, pid);
		kill(pid, SIGKILL);
	}
	if (dir)
		closedir(dir);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Where everybody is, on the console: who hangs, and on whom. */
static void show_tasks(void)
{
	write_file("/proc/sys/kernel/printk", "8");
	write_file("/proc/sysrq-trigger", "w");
	write_file("/proc/sysrq-trigger", "t");
	write_file("/proc/sys/kernel/printk", "5");
}

/* Until the script has ended or its time is over; returns its exit code. */
static int watch_script(const char *name, pid_t pid, struct stream *out, struct stream *err,
			unsigned int timeout)
{
	long long deadline = timeout ? now_ms() + timeout * 1000LL : 0;
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int status;

	if (pidfd < 0)
		die("pidfd_open: %s", strerror(errno));
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = out->fd, .events = POLLIN },
			{ .fd = err->fd, .events = POLLIN },
		};
		long long wait = PROGRESS_MS;

		if (deadline && deadline - now_ms() < wait)
			wait = deadline - now_ms();
		if (!poll(fds, ARRAY_SIZE(fds), wait > 0 ? wait : 0))
			show_life(name);
		if (fds[1].revents && !pump(out))
			end_stream(out);
		if (fds[2].revents && !pump(err))
			end_stream(err);
		if (fds[0].revents)
			break;
		if (deadline && now_ms() >= deadline) {
			put(ktap.fd, "# init: %s was killed: not done after %u s\n", name, timeout);
			show_tasks();
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			status = -1;
			goto out;
		}
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
out:
	close(pidfd);
	if (status == -1)
		return RC_TIMEOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Returns the script's exit code. */
static int run_script(const char *name)
{
	struct stream out = { .fd = -1, .prefix = "" };
	struct stream err = { .fd = -1, .prefix = "# " };
	char mark[256], path[PATH_MAX];
	int pipes[2][2], rc;
	bool shell;
	long long began;
	pid_t pid;

	if (!strncmp(name, TESTS_DIR, strlen(TESTS_DIR)))
		name += strlen(TESTS_DIR);
	shell = !strcmp(name, "shell");
	snprintf(path, sizeof(path), "%s%s", shell || name[0] == '/' ? "" : TESTS_DIR, name);
	if (pipe2(pipes[0], O_CLOEXEC) || pipe2(pipes[1], O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	put(ktap.fd, "# begin %s\n", name);
	show_life(name);
	snprintf(mark, sizeof(mark), "<6>" KMSG_MARK "%s", name);
	write_file("/dev/kmsg", mark);

	began = now_ms();
	pid = start_script(path, pipes[0][1], pipes[1][1]);
	if (pid < 0)
		die("fork: %s", strerror(errno));
	close(pipes[0][1]);
	close(pipes[1][1]);
	out.fd = pipes[0][0];
	err.fd = pipes[1][0];
	fcntl(out.fd, F_SETFL, O_NONBLOCK);
	fcntl(err.fd, F_SETFL, O_NONBLOCK);
	rc = watch_script(name, pid, &out, &err, shell ? 0 : script_timeout(path));
	end_stream(&out);
	end_stream(&err);
	kill_leftovers();

	put(ktap.fd, "# end %s rc=%d seconds=%lld\n", name, rc, (now_ms() - began + 500) / 1000);
	if (rc && rc != RC_SKIP && !shell)
		failures++;
	return rc;
}

/* A script that was killed has cleared nothing away: the rest is for another guest. */
static void run_scripts(void)
{
	if (!run_list)
		die("nothing to run: no rwb.run= on the command line");
	for (char *name = strsep(&run_list, ","); name; name = strsep(&run_list, ","))
		if (run_script(name) == RC_TIMEOUT) {
			put(ktap.fd, "# init: %s has cleared nothing away, no other runs here\n",
			    name);
			break;
		}
}

/* ---- stages: was the kernel well? ---- */

static __printf(2, 3) void check(bool ok, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	put(ktap.fd, "%s %u %s\n", ok ? "ok" : "not ok", ++checks, what);
	if (!ok) {
		failed_checks++;
		failures++;
	}
}

static void begin_checks(void)
{
	put(ktap.fd, "# begin init\nTAP version 13\n1..3\n");
}

struct badness {
	regex_t regs[64];
	size_t nr;
};

static void read_badness(struct badness *bad)
{
	char line[512];
	FILE *f = fopen(BADNESS_FILE, "re");

	if (!f)
		die("open " BADNESS_FILE ": %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (bad->nr == ARRAY_SIZE(bad->regs))
			die(BADNESS_FILE " has more than %zu patterns", bad->nr);
		if (regcomp(&bad->regs[bad->nr++], line, REG_EXTENDED | REG_NOSUB))
			die(BADNESS_FILE ": not a regular expression: %s", line);
	}
	fclose(f);
	if (!bad->nr)
		die(BADNESS_FILE " has no patterns");
}

static bool is_bad(const struct badness *bad, const char *text)
{
	for (size_t i = 0; i < bad->nr; i++)
		if (!regexec(&bad->regs[i], text, 0, NULL, 0))
			return true;
	return false;
}

/* All of the kernel log since boot goes to the results; bad lines are told apart by script. */
static void check_kernel_log(void)
{
	static struct badness bad;
	char record[8192], script[256] = "boot";
	unsigned long long seq, usec, first = 0, bad_lines = 0, lines = 0;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *copy = fopen(RESULTS_DIR "/dmesg.txt", "we");

	if (fd < 0 || !copy)
		die("kernel log: %s", strerror(errno));
	read_badness(&bad);
	for (;;) {
		ssize_t len = read(fd, record, sizeof(record) - 1);
		char *text;

		if (len < 0 && (errno == EPIPE || errno == EINTR))
			continue;	/* EPIPE: overwritten meanwhile, the next read goes on */
		if (len <= 0)
			break;
		record[len] = '\0';
		text = strchr(record, ';');
		if (!text || sscanf(record, "%*u,%llu,%llu", &seq, &usec) != 2)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		if (!lines++)
			first = seq;
		fprintf(copy, "[%5llu.%06llu] %s\n", usec / 1000000, usec % 1000000, text);
		if (!strncmp(text, KMSG_MARK, strlen(KMSG_MARK)))
			snprintf(script, sizeof(script), "%.255s", text + strlen(KMSG_MARK));
		else if (is_bad(&bad, text) && bad_lines++ < 20)
			put(ktap.fd, "# kernel log, in %s: %s\n", script, text);
	}
	close(fd);
	if (fclose(copy))
		die("write " RESULTS_DIR "/dmesg.txt: %s", strerror(errno));
	if (first)
		put(ktap.fd, "# the first %llu kernel log lines were lost before the check\n",
		    first);
	check(lines && !bad_lines, "kernel log has no bad line (%llu lines read, %llu bad)",
	      lines, bad_lines);
}

static void check_leaks(void)
{
	static char report[65536];
	char *line = report, *end;
	ssize_t len;

	if (access("/sys/kernel/debug/kmemleak", F_OK)) {
		put(ktap.fd, "ok %u no memory leak # SKIP kernel has no kmemleak\n", ++checks);
		return;
	}
	if (write_file("/sys/kernel/debug/kmemleak", "scan") && errno == EPERM) {
		put(ktap.fd, "ok %u no memory leak # SKIP kmemleak is off (kmemleak=on)\n",
		    ++checks);
		return;
	}
	/*
	 * That was the first scan: it takes each object's checksum. One that is unchanged, old
	 * enough, and found by no pointer in the second is reported.
	 */
	show_life("kmemleak");
	pause_ms(KMEMLEAK_AGE_S * 1000);
	if (write_file("/sys/kernel/debug/kmemleak", "scan"))
		die("kmemleak scan: %s", strerror(errno));
	len = read_file("/sys/kernel/debug/kmemleak", report, sizeof(report));
	while (len > 0 && *line && (end = strchr(line, '\n'))) {
		put(ktap.fd, "# %.*s\n", (int)(end - line), line);
		line = end + 1;
	}
	check(!len, "no memory leak (two kmemleak scans)");
}

static void check_taint(void)
{
	char buf[32];
	unsigned long taint;

	if (read_file("/proc/sys/kernel/tainted", buf, sizeof(buf)) <= 0)
		die("read tainted: %s", strerror(errno));
	taint = strtoul(buf, NULL, 10);
	check(!(taint & ~TAINT_ALLOWED), "no taint but out-of-tree, unsigned, test (tainted=%lu)",
	      taint);
}

static void end_checks(void)
{
	put(ktap.fd, "# end init rc=%d seconds=0\n", failed_checks ? 1 : 0);
}

/* ---- stages: hand over and go ---- */

static void send_results(void)
{
	const char *const tar[] = { "tar", "-C", RESULTS_DIR, "-cf", "-", ".", NULL };

	if (run_command(tar, results.fd))
		die("tar of " RESULTS_DIR " failed");
}

static void send_verdict(void)
{
	put(verdict.fd, "done %d\n", failures ? 1 : 0);
}

int main(void)
{
	lock_memory();
	mount_filesystems();
	read_command_line();
	load_modules();
	open_ports();
	set_sysctls();
	start_network();
	clear_leaks();
	run_scripts();
	begin_checks();
	check_kernel_log();
	check_leaks();
	check_taint();
	end_checks();
	send_results();
	send_verdict();
	power_off();
}
