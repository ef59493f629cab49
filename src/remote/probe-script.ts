import { shellQuote } from '../core/shell-quote.ts'
import { boardFilesScript } from './board-files-script.ts'
import { boardToolsScript } from './board-tools-script.ts'

/**
 * What is read from a device in one round trip: lines of `key=value`. Only POSIX sh and, where they are there, small tools: a board
 * may have little more than coreutils. The one thing it writes is a file that it tries to run (noexec) and removes again.
 * @param root folder below the home directory that Edgesmith keeps its files in
 */
export function probeScript(root: string): string {
  return `PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s=%s\\n' "$1" "$2"; }
first() { [ -r "$1" ] && IFS= read -r line <"$1" 2>/dev/null && say "$2" "$line"; }
plain() { [ -r "$1" ] && has tr && say "$2" "$(tr -d '\\000' <"$1" 2>/dev/null)"; }
say probe 1
say now "$(date +%s)"
say kernel_name "$(uname -s)"
say kernel "$(uname -r)"
say machine "$(uname -m)"
has getconf && say long_bit "$(getconf LONG_BIT 2>/dev/null)"
has getconf && say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
has dpkg && say dpkg_architecture "$(dpkg --print-architecture 2>/dev/null)"
has ldd && say ldd "$(ldd --version 2>&1 | { IFS= read -r line; printf %s "$line"; })"
for f in /lib/ld-musl-*.so.1; do [ -e "$f" ] && say musl "$f"; done
[ -r /etc/os-release ] && say system "$(. /etc/os-release 2>/dev/null; printf %s "$PRETTY_NAME")"
plain /sys/firmware/devicetree/base/model board
[ -r /sys/firmware/devicetree/base/model ] || first /sys/devices/virtual/dmi/id/product_name product
if has nproc; then say cores "$(nproc)"; else has getconf && say cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"; fi
n=0
[ -r /proc/cpuinfo ] && while IFS= read -r line && [ -n "$line" ] && [ $n -lt 60 ]; do say cpuinfo "$line"; n=$((n+1)); done </proc/cpuinfo
first /proc/loadavg loadavg
${boardFilesScript()}
still_files
moving_files
first /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor governor
first /sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq max_khz
first /etc/nv_tegra_release jetson
${boardToolsScript}[ -d /run/systemd/system ] && say systemd yes
for d in /usr/lib/*-linux-gnu* /lib/*-linux-gnu* /usr/lib64 /lib64 /usr/lib /lib; do
  [ -e "$d/libstdc++.so.6" ] && say libstdcxx "$(readlink -f "$d/libstdc++.so.6")"
  [ -e "$d/libgcc_s.so.1" ] && say libgcc "$d/libgcc_s.so.1"
done
has tar && say tar yes
say home "$HOME"
cd "$HOME" 2>/dev/null || say home_missing yes
u=$(id -un 2>/dev/null); [ -d /run/systemd/system ] && { if [ -e "/var/lib/systemd/linger/$u" ]; then say linger yes; else say linger no; fi; }
n=0
# Mounts that hold the home directory or /tmp; a board with containers has hundreds of others.
at=$(pwd -P); say home_real "$at"
[ -r /proc/mounts ] && while read -r d m k o l && [ $n -lt 20 ]; do
  for i in "$at/" /tmp/; do case $i in "\${m%/}"/*) say mount "$m $k $o"; n=$((n+1)); break;; esac; done
done </proc/mounts
root=$HOME/${shellQuote(root)}
at=$HOME; [ -d "$root" ] && at=$root
has df && say disk "$(df -Pk "$at" 2>/dev/null | { read -r line; read -r line; printf %s "$line"; })"
[ -d "$root" ] && has du && say installed "$(du -sk "$root" 2>/dev/null)"
t=$at/.edgesmith-probe-$$
if (printf '#!/bin/sh\\nexit 0\\n' >"$t") 2>/dev/null; then
  say writable yes
  chmod 700 "$t"
  if "$t" >/dev/null 2>&1; then say executable yes; else say executable no; fi
else
  say writable no
fi
rm -f "$t"
say end 1
`
}
