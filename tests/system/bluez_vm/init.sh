#!/bin/busybox sh
# The first process: loads the modules, puts the host's files in this one's place, and gives over to Python.
# The kernel's command line sets PYTHON, CHECKOUT, PACKAGES and POLICY; it hands on what it does not know as variables.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
while read -r module; do
    $b insmod "$module" || echo "init: $module is not loaded"
done </modules/order
options=trans=virtio,version=9p2000.L,msize=262144
$b mount -t 9p -o "$options,cache=loose,ro" host /host || echo "init: the host shares no files"
for folder in run var/lib; do $b mount -t tmpfs tmpfs "/host/$folder"; done
$b mkdir /host/run/out
$b mount -t 9p -o "$options" out /host/run/out || echo "init: the host shares no folder for results"
for folder in dev proc sys; do $b mount --move "/$folder" "/host/$folder"; done
export PATH=/run/bin:/usr/bin:/bin PYTHONPATH="$CHECKOUT" PYTHONDONTWRITEBYTECODE=1 HOME=/run TMPDIR=/run
exec $b switch_root /host "$PACKAGES/usr$b" sh -c \
    '"$PYTHON" -m tests.system.bluez_vm.guest; "$PACKAGES/usr/bin/busybox" reboot -f'
