# Makes the inside of a test device A that is cut off, and stays as its first process; runs as bash in new mount, network and process
# namespaces, which are gone when it ends.
#
#   bash closed-namespace.sh HOME HOME_OPTIONS
#
# HOME_OPTIONS  mount options of a tmpfs at HOME; empty: HOME stays as it is
set -eu
home=$1 home_options=$2
read -r _
[ -z "$home_options" ] || mount -t tmpfs -o "$home_options" tmpfs "$home"
mount -t proc proc /proc

# A board without network still has its loopback. SIOCSIFFLAGS with IFF_UP; `ip` is not installed everywhere, perl is.
perl -MSocket -e 'socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die; my $request = pack("a16 s x22", "lo", 1); ioctl($socket, 0x8914, $request) or die "lo: $!\n"'

echo ready
while read -r _; do :; done
