# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the scripts beside it. Sets `top` (the top of the tree) and goes there.
set -u

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
me=${0##*/}
cd "$top" || exit 2

# Scripts that call each other show one time.
export WEIR_STARTED=${WEIR_STARTED:-$(date +%s)}
SECONDS=$(($(date +%s) - WEIR_STARTED))

# The machine's own tools first: a python or meson from elsewhere may lack what Debian's has.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH

die() {
	echo "$me: $*" >&2
	exit 2
}

# Runs a command as root, with sudo where we are not. The caller has asked can_be_root.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

can_be_root() {
	[ "$(id -u)" = 0 ] && return 0
	command -v sudo >/dev/null || return 1
	sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }
}

# What a process needs to own a tap port; says what is missing and how to get it.
need_tap() {
	can_be_root || die "needs root to make network interfaces: run as root or with sudo"
	[ -c /dev/net/tun ] || as_root modprobe tun 2>/dev/null
	[ -c /dev/net/tun ] ||
		die "/dev/net/tun is missing: load the kernel's tun module (modprobe tun)," \
			"or give the container the device (--device /dev/net/tun)"
}

need_netns() {
	local name=weir-probe-$$

	as_root ip netns add "$name" 2>/dev/null ||
		die "cannot make a network namespace: needs CAP_SYS_ADMIN" \
			"(in a container: --privileged)"
	as_root ip netns delete "$name"
}

# step TEXT LOG COMMAND...: one line when it starts and one when it ends, a line every 20 s
# between; the output goes to LOG. On failure shows the tail of the log. Returns the command's status.
step() {
	local text=$1 log=$2 begin=$SECONDS status=0 next=$((SECONDS + 20))

	shift 2
	mkdir -p "$(dirname "$log")"
	echo "[$((SECONDS / 60))m$((SECONDS % 60))s] $text"
	set -m # a process group of its own, so that step_stop reaches all of it
	"$@" >"$log" 2>&1 </dev/null &
	step_pid=$!
	set +m
	while kill -0 "$step_pid" 2>/dev/null; do
		sleep 0.2
		[ "$SECONDS" -lt "$next" ] && continue
		next=$((SECONDS + 20))
		echo "    $((SECONDS - begin)) s: $(tail -n 1 "$log" | tr -d '\r' | cut -c 1-100)"
	done
	wait "$step_pid" || status=$?
	step_pid=
	if [ "$status" = 0 ]; then
		echo "    ok, $((SECONDS - begin)) s"
	else
		echo "    FAILED (status $status), $((SECONDS - begin)) s; the end of $log:"
		grep -vE '^\[[0-9]+/[0-9]+\] (Compiling|Linking|Generating)' "$log" |
			tail -n "${STEP_TAIL:-60}" | sed 's/^/    | /'
	fi
	return "$status"
}

# An interrupted step must not go on without us.
step_pid=
step_stop() {
	[ -z "$step_pid" ] || as_root kill -- "-$step_pid" 2>/dev/null
	exit 130
}
trap step_stop INT TERM
