import { boardFilesScript } from './board-files-script.ts'

/** Firmware of a Raspberry Pi is asked this often, whatever the interval. */
const ASK_EVERY_MS = 2000

/**
 * Prints a board's state again and again: lines `f=PATH VALUE` (`boardFilesScript`), `throttled=…`, `temp=…`, `pmic=…` (`vcgencmd`),
 * `tegrastats=…`, and `round=N` at the end of each round. Ends by itself when nobody reads any more: a write into a closed
 * pipe ends the shell and tegrastats alike. tegrastats runs only on a Jetson whose files tell neither power nor load of the GPU.
 * @param root see {@link boardFilesScript}
 */
export function telemetryScript(intervalMs: number, root?: string): string {
  const seconds = intervalMs / 1000
  const askEvery = Math.max(1, Math.round(ASK_EVERY_MS / intervalMs))
  return `PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
has() { command -v "$1" >/dev/null 2>&1; }
${boardFilesScript(root)}
ask() {
  printf 'throttled=%s\\n' "$(vcgencmd get_throttled 2>/dev/null </dev/null)"
  printf 'temp=%s\\n' "$(vcgencmd measure_temp 2>/dev/null </dev/null)"
  [ $pmic = yes ] && vcgencmd pmic_read_adc 2>/dev/null </dev/null | while IFS= read -r l; do printf 'pmic=%s\\n' "$l"; done
}
pi=no; pmic=no
if has vcgencmd && vcgencmd get_throttled >/dev/null 2>&1 </dev/null; then
  pi=yes
  case $(vcgencmd pmic_read_adc 2>/dev/null </dev/null) in *current*) pmic=yes;; esac
fi
gpu=no
for f in "$R"/sys/class/devfreq/*/device/load "$R"/sys/devices/gpu.0/load "$R"/sys/devices/platform/gpu.0/load; do [ -r "$f" ] && gpu=yes; done
rails=no
for f in "$R"/sys/bus/i2c/devices/*-*/iio*/rail_name_0; do [ -r "$f" ] && rails=yes; done
[ -n "$H" ] && rails=yes
t=
if has tegrastats && { [ $gpu = no ] || [ $rails = no ]; }; then
  tegrastats --interval ${Math.max(100, Math.round(intervalMs))} 2>/dev/null </dev/null | while IFS= read -r l; do printf 'tegrastats=%s\\n' "$l" || exit; done &
  t=$!
fi
still_files
n=0
while :; do
  moving_files
  [ $pi = yes ] && [ $((n % ${askEvery})) -eq 0 ] && ask
  printf 'round=%s\\n' "$n" || break
  n=$((n+1))
  sleep ${seconds} || break
done
[ -n "$t" ] && kill $t 2>/dev/null
`
}
