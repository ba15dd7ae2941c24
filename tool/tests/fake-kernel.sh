#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a tracefs instance of the kernel's would be, in plain files: fake-kernel.sh DIR COMMAND ARGS...
# A recorder makes its instance with mkdir, and the kernel fills it at once. Here it is filled for the process id that
# COMMAND will have, as one that a killed recorder left behind; when the recorder has switched the last event off,
# what it set is kept in DIR/set, and the instance emptied, so that the recorder can remove it.
set -eu
dir=$1
shift
instance=$dir/tracefs/instances/reclaimwb-record-$$
mkdir -p "$instance/options" "$instance/per_cpu/cpu0" "$instance/per_cpu/cpu1"
for file in tracing_on trace_clock buffer_size_kb trace_pipe; do
	: > "$instance/$file"
done
echo "of the one before" > "$instance/trace"
echo 0 > "$instance/options/overwrite"
echo 1 > "$instance/options/fields"
for cpu in 0 1; do
	printf 'entries: 0\noverrun: 10\ncommit overrun: 0\ndropped events: 1\n' > "$instance/per_cpu/cpu$cpu/stats"
done
for event in "$dir"/tracefs/events/reclaimwb/*; do
	event=$instance/events/reclaimwb/${event##*/}
	mkdir -p "$event"
	echo new > "$event/enable"
done
if [ -d "$instance/events/reclaimwb/stall" ]; then
	(
		n=0
		while [ "$(cat "$instance/events/reclaimwb/stall/enable" 2> /dev/null)" != 0 ] && [ $n -lt 3000 ]; do
			sleep 0.01
			n=$((n + 1))
		done
		# Others may come after it.
		sleep 0.1
		cp -r "$instance" "$dir/set"
		rm -rf "$instance"
	) > /dev/null 2>&1 < /dev/null &
fi
exec "$@"
