import { KeptFiles } from '../core/telemetry/system-files.ts'

/** Names of hwmon devices that monitor a supply; the reader decides for good (`findRailSensors`). */
const MONITORS = 'ina*|pac19*|ltc294*|max344*|isl28022*|sq52206*'

/**
 * POSIX sh functions that print what a board says of itself, one file a line: `f=PATH VALUE`. Only builtins are used. `still_files` prints what
 * stays (names, limits), `moving_files` what changes.
 * @param root folder under which /proc and /sys are looked for; already quoted for the shell
 */
export function boardFilesScript(root = "''"): string {
  return `R=${root}
p() { for f do l=; { IFS= read -r l <"$f"; } 2>/dev/null; [ -n "$l" ] && printf 'f=%s %s\\n' "\${f#"$R"}" "$l"; done; }
H=; seen=
for h in "$R"/sys/class/hwmon/hwmon* "$R"/sys/bus/i2c/devices/*-*/hwmon/hwmon*; do
  c=; { IFS= read -r c <"$h/name"; } 2>/dev/null
  case $c in ${MONITORS}) ;; *) continue;; esac
  case " $seen " in *" \${h##*/} "*) continue;; esac
  seen="$seen \${h##*/}"; H="$H $h"
done
still_files() {
  p "$R"/sys/devices/system/cpu/cpufreq/policy*/cpuinfo_max_freq "$R"/sys/devices/system/cpu/cpufreq/policy*/scaling_governor
  p "$R"/sys/class/thermal/thermal_zone*/type "$R"/sys/class/thermal/cooling_device*/type "$R"/sys/class/thermal/cooling_device*/max_state
  for h in $H; do p "$h"/name "$h"/in[1-9]_label "$h"/power[1-9]_label; done
  p "$R"/sys/bus/i2c/devices/*-*/iio*/rail_name_[0-9]
}
moving_files() {
  p "$R"/proc/stat
  { while IFS= read -r l; do case $l in MemTotal:*|MemAvailable:*|SwapTotal:*) printf 'f=/proc/meminfo %s\\n' "$l";; esac; done <"$R/proc/meminfo"; } 2>/dev/null
  p "$R"/sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq "$R"/sys/devices/system/cpu/cpufreq/policy*/scaling_max_freq
  p "$R"/sys/devices/system/cpu/cpufreq/policy*/affected_cpus
  p "$R"/sys/class/thermal/thermal_zone*/temp "$R"/sys/class/thermal/cooling_device*/cur_state
  for h in $H; do p "$h"/in[1-9]_input "$h"/curr[1-9]_input "$h"/power[1-9]_input; done
  p "$R"/sys/bus/i2c/devices/*-*/iio*/in_power[0-9]_input
  p "$R"/sys/class/devfreq/*/cur_freq "$R"/sys/class/devfreq/*/device/load "$R"/sys/devices/gpu.0/load "$R"/sys/devices/platform/gpu.0/load
}
`
}

/** A server with many cores has 500 clock policies of five files. */
const MOST_FILES = 4000
/** Lines of /proc/meminfo that are printed. */
const MOST_MEMINFO = 1000

/** Files as {@link boardFilesScript} prints them. */
export class PrintedFiles {
  readonly files = new KeptFiles()
  #meminfo = ''

  /** @param line without its `f=`; what is no file of /proc or /sys is ignored */
  add(line: string): void {
    const space = line.indexOf(' ')
    const path = line.slice(0, space)
    if (space < 0 || path.length > 300 || !/^\/(?:proc|sys)\//.test(path)) return
    const text = line.slice(space + 1, space + 1000)
    if (path !== '/proc/meminfo') {
      if (this.files.size < MOST_FILES || this.files.read(path) !== undefined) this.files.set(path, text)
      return
    }
    // Several lines of one file; the first of them starts it anew.
    if (text.startsWith('MemTotal:')) this.#meminfo = ''
    this.#meminfo = `${this.#meminfo}${text}\n`.slice(0, MOST_MEMINFO)
    this.files.set(path, this.#meminfo)
  }
}
