# Makes the inside of test device B and stays as its first process; runs as bash of this computer in new user, mount, network and process
# namespaces. Everything that is mounted and started here is gone when it ends, which it does when its standard input is closed.
#
#   bash arm64-namespace.sh ROOT DEVICE ACCOUNTS HOME BINFMT HOME_OPTIONS
#
# ROOT      root file system for arm64
# DEVICE    folder with the board's own files: etc, proc/cpuinfo, sys, usr/local, usr/src, var/lib/dpkg
# ACCOUNTS  what sshd, a program of this computer, sees as /etc
# HOME      home directory of the user `pi`, or `tmpfs`
# BINFMT    file with the line that makes the kernel run arm64 programs; empty where it does already
# HOME_OPTIONS  mount options of a tmpfs home
set -eu
root=$1 device=$2 accounts=$3 home=$4 binfmt=$5 home_options=$6

# Until this computer has given the namespace its user ids nothing may be mounted.
read -r _

mount --rbind "$root" /mnt
mount -t proc proc /mnt/proc
# Interpreters of programs belong to the user namespace, so nothing else on this computer sees this one.
if [ -n "$binfmt" ]; then
  mount -t binfmt_misc none /mnt/proc/sys/fs/binfmt_misc
  cat "$binfmt" >/mnt/proc/sys/fs/binfmt_misc/register
fi
mount --bind "$device/proc/cpuinfo" /mnt/proc/cpuinfo
mount --rbind /dev /mnt/dev
# With an x86 machine's /sys ONNX Runtime for arm64 crashes.
for folder in sys etc usr/local usr/src var/lib/dpkg; do mount --bind "$device/$folder" "/mnt/$folder"; done
for folder in tmp var/tmp; do mount -t tmpfs -o mode=1777,size=64m tmpfs "/mnt/$folder"; done
mount -t tmpfs -o mode=755,size=16m tmpfs /mnt/run
mount -t tmpfs -o mode=755,size=1m tmpfs /mnt/home
mkdir /mnt/home/pi
if [ "$home" = tmpfs ]; then mount -t tmpfs -o "mode=700,uid=1000,gid=1000,$home_options" tmpfs /mnt/home/pi
else mount --bind "$home" /mnt/home/pi; fi
mount --bind "$accounts" /etc

# A board without network still has its loopback. SIOCSIFFLAGS with IFF_UP; `ip` is not installed everywhere, perl is.
perl -MSocket -e 'socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die; my $request = pack("a16 s x22", "lo", 1); ioctl($socket, 0x8914, $request) or die "lo: $!\n"'

echo ready
while read -r _; do :; done
