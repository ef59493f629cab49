/** Where trtexec is, if it is not on PATH: where JetPack installs it, where archives of TensorRT are unpacked. The agent looks there too. */
const trtexecPlaces = ['/usr/src/tensorrt/bin/trtexec', '/usr/local/[tT]ensor[rR][tT]*/bin/trtexec', '/opt/tensorrt/bin/trtexec'] as const

/**
 * Part of the probe: what tools of Raspberry Pi OS, of JetPack and of systemd say, each only where it is and with a limit where it could hang.
 *
 * sudo is asked by its listing (`sudo -n -l`), which runs nothing, and only when the user is in a group that usually may: whoever is in none would leave
 * a line in the log, and on some systems a mail to the administrator, with every probe.
 */
export const boardToolsScript = `lines() { n=0; while IFS= read -r line && [ $n -lt 40 ]; do say "$1" "$line"; n=$((n+1)); done; }
soon() { if has timeout; then timeout 5 "$@"; else "$@"; fi; }
if has vcgencmd; then
  say throttled "$(soon vcgencmd get_throttled 2>/dev/null </dev/null)"
  say firmware_temp "$(soon vcgencmd measure_temp 2>/dev/null </dev/null)"
  soon vcgencmd pmic_read_adc 2>/dev/null </dev/null | lines pmic
fi
[ -r /sys/firmware/devicetree/base/compatible ] && has tr && say compatible "$(tr '\\000' ' ' </sys/firmware/devicetree/base/compatible 2>/dev/null)"
trt=
for f in "$(command -v trtexec 2>/dev/null)" ${trtexecPlaces.join(' ')}; do [ -n "$f" ] && [ -x "$f" ] && trt=$f && say trtexec "$f" && break; done
if [ -r /etc/nv_tegra_release ] || [ -n "$trt" ]; then
  has dpkg-query && dpkg-query -W -f '\${Status} \${Package} \${Version}\\n' nvidia-jetpack nvidia-l4t-core tensorrt 'libnvinfer[0-9]*' 2>/dev/null | lines package
  has nvpmodel && soon nvpmodel -q 2>/dev/null </dev/null | lines nvpmodel
  for f in /usr/local/cuda/version.json /usr/local/cuda/version.txt; do [ -r "$f" ] && lines cuda <"$f" && break; done
fi
has timeout && has systemctl && [ -d /run/systemd/system ] && say systemd_state "$(timeout 5 systemctl is-system-running 2>/dev/null </dev/null)"
if [ "$(id -u 2>/dev/null)" = 0 ]; then say sudo without_password
elif has sudo && has id; then
  s=none
  for g in $(id -Gn 2>/dev/null); do case $g in sudo|wheel|admin) s=with_password;; esac; done
  [ $s = with_password ] && soon sudo -n -l >/dev/null 2>&1 </dev/null && s=without_password
  say sudo $s
else say sudo none
fi
`
