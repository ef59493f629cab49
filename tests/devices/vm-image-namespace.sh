# Makes the disk of test device C, an arm64 machine with systemd; runs as bash of this computer in new user, mount and process namespaces,
# because the second stage of the installation runs arm64 programs, and root's powers are wanted over files only.
#
#   bash vm-image-namespace.sh WORK RELEASE SOURCE BINFMT PUBLIC_KEY
#
# WORK        empty folder; gets vmlinuz, initrd.gz and disk.img
# RELEASE     of Debian or Ubuntu
# SOURCE      line of apt's sources.list
# BINFMT      file with the line that makes the kernel run arm64 programs; empty where it does already
# PUBLIC_KEY  file of the key that the user `pi` logs in with
set -eu
work=$1 release=$2 source=$3 binfmt=$4 public_key=$5
read -r _
mount -t proc proc /proc
if [ -n "$binfmt" ]; then
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  cat "$binfmt" >/proc/sys/fs/binfmt_misc/register
fi
cd "$work"

echo 'step: kernel'
# Only extracted: its scripts would make an initrd that takes minutes under emulation.
mmdebstrap --quiet --architectures=arm64 --mode=root --variant=extract --include=linux-image-cloud-arm64,busybox-static "$release" kernel "$source"
mv kernel/boot/vmlinuz-* vmlinuz
mkdir -p initrd/bin initrd/proc initrd/sys initrd/dev initrd/newroot initrd/modules
cp kernel/bin/busybox initrd/bin/busybox
ln -s busybox initrd/bin/sh
order='virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk failover net_failover virtio_net virtio-rng'
# What a kernel has built in is no file.
for module in $order; do find kernel/lib/modules kernel/usr/lib/modules -name "$module.ko*" 2>/dev/null | head -1 | xargs -r -I FILE cp FILE initrd/modules/; done
find initrd/modules -name '*.xz' -exec xz -d {} +
cat >initrd/init <<INIT
#!/bin/sh
b=/bin/busybox
\$b mount -t proc proc /proc
\$b mount -t sysfs sys /sys
\$b mount -t devtmpfs dev /dev
for module in $order; do [ -f /modules/\$module.ko ] && \$b insmod /modules/\$module.ko; done
\$b ip link set lo up
\$b ip link set eth0 up
\$b ip addr add 10.0.2.15/24 dev eth0
i=0
while [ ! -b /dev/vda ] && [ \$i -lt 200 ]; do \$b usleep 50000; i=\$((i+1)); done
\$b mount -t ext4 -o rw,noatime /dev/vda /newroot
\$b mount --move /dev /newroot/dev
\$b umount /sys /proc
exec \$b switch_root /newroot /sbin/init
INIT
chmod +x initrd/init
(cd initrd && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >initrd.gz
rm -rf kernel initrd

echo 'step: system'
mmdebstrap --architectures=arm64 --mode=root --variant=minbase --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include=openssh-server,systemd-sysv,dbus,dbus-user-session,libpam-systemd,libstdc++6,libgomp1,procps,udev,kmod,netbase,sudo \
  "$release" root "$source"

echo 'step: settings'
echo board >root/etc/hostname
printf '127.0.0.1 localhost board\n' >root/etc/hosts
: >root/etc/fstab
: >root/etc/resolv.conf
tr -d - </proc/sys/kernel/random/uuid >root/etc/machine-id
echo 'pi:x:1000:1000::/home/pi:/bin/bash' >>root/etc/passwd
echo 'pi:x:1000:' >>root/etc/group
# As on Raspberry Pi OS: whoever is in none of the usual groups is not asked whether sudo works.
sed -i 's/^sudo:.*/&pi/' root/etc/group
echo 'pi:*:20000:0:99999:7:::' >>root/etc/shadow
mkdir -p -m 700 root/home/pi/.ssh
cp "$public_key" root/home/pi/.ssh/authorized_keys
chmod 600 root/home/pi/.ssh/authorized_keys
chown -R 1000:1000 root/home/pi
# As on Raspberry Pi OS: system units can be asked for.
echo 'pi ALL=(ALL) NOPASSWD: ALL' >root/etc/sudoers.d/pi
chmod 440 root/etc/sudoers.d/pi
# Services of this user may outlive its log-in.
mkdir -p root/var/lib/systemd/linger
: >root/var/lib/systemd/linger/pi
printf 'UseDNS no\nPasswordAuthentication no\n' >root/etc/ssh/sshd_config.d/board.conf
for unit in serial-getty@ttyAMA0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer systemd-timesyncd.service systemd-networkd.service systemd-update-utmp.service \
  systemd-hwdb-update.service ldconfig.service systemd-journal-catalog-update.service; do
  ln -sf /dev/null "root/etc/systemd/system/$unit"
done
mkdir -p root/etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\nForwardToConsole=no\n' >root/etc/systemd/journald.conf.d/board.conf

echo 'step: disk'
truncate -s 3G disk.img
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0 -d root disk.img
ssh-keygen -lf root/etc/ssh/ssh_host_ed25519_key.pub >host-key
rm -rf root
echo ready
while read -r _; do :; done
