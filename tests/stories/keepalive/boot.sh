#!/usr/bin/env bash
# boot.sh ROOT PROGRAM UNITS CONFIG DATA PASSPHRASE: a systemd of its own, as process 1 of namespaces of
# its own, on an overlay of this machine's root that is gone with it. Nothing outside is changed. The
# units UNITS are installed there with PROGRAM, and nothing else of the machine is started.
set -euo pipefail
root=$1/root program=$2 units=$3 config=$4 data=$5 passphrase=$6

mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
# Only what the test asks for is started.
rm -rf "$root"/usr/lib/systemd/system/*.wants "$root"/etc/systemd/system/*.wants \
    "$root"/usr/lib/systemd/system-generators

install -m 755 "$program" "$root/usr/bin/manutop"
install -m 644 "$units/system/manutop.service" "$root/etc/systemd/system/manutop.service"
mkdir -p "$root/usr/lib/sysusers.d" "$root/etc/manutop" "$root/etc/credstore" "$root/var/lib/manutop"
install -m 644 "$units/sysusers.d/manutop.conf" "$root/usr/lib/sysusers.d/manutop.conf"
systemd-sysusers --root="$root" manutop.conf
install -m 644 "$config" "$root/etc/manutop/config.toml"
install -m 600 "$passphrase" "$root/etc/credstore/manutop"
cp -r "$data/." "$root/var/lib/manutop/"
chroot "$root" chown -R manutop:manutop /var/lib/manutop
printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n' >"$root/etc/systemd/system/alone.target"

mkdir "$root/outside"
cd "$root"
pivot_root . outside
umount -l /outside
# As in a container: credentials reach the services by it.
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --unit=alone.target --log-target=console --show-status=no
