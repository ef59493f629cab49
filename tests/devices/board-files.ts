/** Boards whose files and tools a test device can show. */
export type Board = 'pi5' | 'pi4' | 'orin' | 'nano-jetpack-4'

/**
 * Files that make a root file system look like a board's: absolute path → content. Programs are shell scripts below /usr/local/bin.
 * The layout follows the kernels of Raspberry Pi OS "bookworm", L4T R36 and L4T R32.
 * @param processors number of the emulating computer: emulated programs see its processors, and must find files for each
 */
export function boardFiles(board: Board, processors: number): Record<string, string> {
  return { ...processorFiles(boards[board], processors), ...boards[board].files }
}

interface BoardDescription {
  /** One processor's lines of /proc/cpuinfo. */
  readonly cpuinfo: string
  readonly governor: string
  readonly currentKhz: number
  readonly maxKhz: number
  readonly files: Readonly<Record<string, string>>
}

function processorFiles(description: BoardDescription, processors: number): Record<string, string> {
  const cpu = '/sys/devices/system/cpu'
  const range = processors === 1 ? '0' : `0-${processors - 1}`
  const numbers = Array.from({ length: processors }, (_, index) => index)
  const policy = {
    affected_cpus: numbers.join(' '),
    related_cpus: numbers.join(' '),
    scaling_governor: description.governor,
    scaling_available_governors: 'conservative ondemand userspace powersave performance schedutil',
    scaling_cur_freq: description.currentKhz,
    scaling_max_freq: description.maxKhz,
    scaling_min_freq: 1_500_000,
    cpuinfo_max_freq: description.maxKhz,
    cpuinfo_min_freq: 1_500_000,
  }
  const files: Record<string, string> = {
    // Where these three are missing or an x86 machine's, ONNX Runtime for arm64 crashes.
    [`${cpu}/possible`]: `${range}\n`,
    [`${cpu}/present`]: `${range}\n`,
    [`${cpu}/online`]: `${range}\n`,
    '/proc/cpuinfo': numbers.map((number) => `processor\t: ${number}\n${description.cpuinfo}\n`).join(''),
  }
  for (const [name, value] of Object.entries(policy)) files[`${cpu}/cpufreq/policy0/${name}`] = `${value}\n`
  for (const number of numbers) {
    // On a board this is a link to the policy.
    for (const [name, value] of Object.entries(policy)) files[`${cpu}/cpu${number}/cpufreq/${name}`] = `${value}\n`
    files[`${cpu}/cpu${number}/topology/core_id`] = `${number}\n`
    files[`${cpu}/cpu${number}/topology/physical_package_id`] = '0\n'
  }
  return files
}

function cpuinfoOf(bogomips: string, features: string, variant: string, part: string, revision: number): string {
  return [
    `BogoMIPS\t: ${bogomips}`,
    `Features\t: ${features}`,
    'CPU implementer\t: 0x41',
    'CPU architecture: 8',
    `CPU variant\t: ${variant}`,
    `CPU part\t: ${part}`,
    `CPU revision\t: ${revision}\n`,
  ].join('\n')
}

const cortexA72 = cpuinfoOf('108.00', 'fp asimd evtstrm crc32 cpuid', '0x0', '0xd08', 3)
const cortexA57 = cpuinfoOf('38.40', 'fp asimd evtstrm aes pmull sha1 sha2 crc32', '0x1', '0xd07', 1)
const v82 = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp'
const cortexA76 = cpuinfoOf('108.00', v82, '0x4', '0xd0b', 1)
const cortexA78 = cpuinfoOf('62.50', `${v82} uscat ilrcpc flagm paca pacg`, '0x0', '0xd42', 1)

const deviceTree = '/sys/firmware/devicetree/base'
const zone = '/sys/class/thermal/thermal_zone'
const bookworm =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n'
const ubuntu = (version: string, name: string) =>
  `PRETTY_NAME="Ubuntu ${version} LTS"\nNAME="Ubuntu"\nVERSION_ID="${version.slice(0, 5)}"\nVERSION_CODENAME=${name}\nID=ubuntu\nID_LIKE=debian\n`

/** Throttle bits and power lie in /usr/local/board, so that a test can change them. */
const vcgencmd = (armClock: number, hasPmic: boolean) => `#!/bin/sh
case "$1" in
get_throttled) printf 'throttled=%s\\n' "$(cat /usr/local/board/throttled)" ;;
measure_temp) read -r t <${zone}0/temp; printf "temp=%d.%d'C\\n" $((t / 1000)) $((t % 1000 / 100)) ;;
measure_clock) echo 'frequency(${armClock})=2400033792' ;;
measure_volts) echo 'volt=0.7200V' ;;
pmic_read_adc) ${hasPmic ? 'cat /usr/local/board/pmic' : 'echo \'error=1 error_msg="Command not registered"\''} ;;
version) printf 'Aug 20 2025 17:02:31\\nCopyright (c) 2012 Broadcom\\nversion cd866525580337c0aee4b25880e1f5f9f674fb24 (clean) (release) (embedded)\\n' ;;
*) echo 'error=1 error_msg="Command not registered"' ;;
esac
`

/** Raspberry Pi 5, idle; rail by rail, a current and a voltage each. */
const pmicRails: readonly (readonly [name: string, amperes: number, volts: number])[] = [
  ['3V7_WL_SW', 0.002928, 3.7128],
  ['3V3_SYS', 0.05563214, 3.311704],
  ['1V8_SYS', 0.171776, 1.802565],
  ['DDR_VDD2', 0.015616, 1.105497],
  ['DDR_VDDQ', 0, 0.61111],
  ['1V1_SYS', 0.182512, 1.104765],
  ['0V8_SW', 0.33184, 0.804159],
  ['VDD_CORE', 1.303, 0.72035996],
  ['0V8_AON', 0.005616, 0.797264],
  ['HDMI', 0.0144, 5.11368],
]
const pmic = [
  ...pmicRails.map(([name, amperes], index) => `${`${name}_A`.padStart(12)} current(${index})=${amperes.toFixed(8)}A`),
  ...pmicRails.map(([name, , volts], index) => `${`${name}_V`.padStart(12)} volt(${index + 10})=${volts.toFixed(8)}V`),
  '     EXT5V_V volt(24)=5.10600000V',
  '      BATT_V volt(25)=0.00976200V',
  '',
].join('\n')

const pi = (model: string, compatible: string, armClock: number, hasPmic: boolean): Record<string, string> => ({
  [`${deviceTree}/model`]: `${model}\0`,
  [`${deviceTree}/compatible`]: compatible,
  [`${zone}0/type`]: 'cpu-thermal\n',
  [`${zone}0/temp`]: '48312\n',
  '/etc/os-release': bookworm,
  '/usr/local/board/throttled': '0x50000\n',
  ...(hasPmic ? { '/usr/local/board/pmic': pmic } : {}),
  '/usr/local/bin/vcgencmd': vcgencmd(armClock, hasPmic),
})

/** dpkg's own database, which the real dpkg-query of the root file system reads. */
const dpkgStatus = (installed: Readonly<Record<string, string>>) =>
  Object.entries(installed)
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nMaintainer: NVIDIA Corporation\nArchitecture: arm64\nVersion: ${version}\nDescription: ${name}\n`,
    )
    .join('\n')

const tegrastats = (line: string) => `#!/bin/sh
interval=1000
while [ $# -gt 0 ]; do
  case "$1" in
  --interval) interval=$2; shift 2 ;;
  --help) echo 'Usage: tegrastats [-option]'; exit 0 ;;
  *) shift ;;
  esac
done
while :; do
  printf '%s\\n' "${line}"
  sleep "$((interval / 1000)).$(printf %03d $((interval % 1000)))"
done
`

const nvpmodel = (name: string, id: number) => `#!/bin/sh
case "$1" in
-q|--query) printf 'NV Power Mode: ${name}\\n${id}\\n' ;;
*) echo 'Error: root is needed to change the power mode' >&2; exit 1 ;;
esac
`

/** A monitor of three rails as the kernel's ina3221 driver shows it: millivolts and milliamperes. */
function ina3221(rails: readonly (readonly [label: string, millivolts: number, milliamperes: number])[]): Record<string, string> {
  const folder = '/sys/bus/i2c/devices/1-0040/hwmon/hwmon1'
  const files: Record<string, string> = { [`${folder}/name`]: 'ina3221\n' }
  for (const [index, [label, millivolts, milliamperes]] of rails.entries()) {
    files[`${folder}/in${index + 1}_label`] = `${label}\n`
    files[`${folder}/in${index + 1}_input`] = `${millivolts}\n`
    files[`${folder}/curr${index + 1}_input`] = `${milliamperes}\n`
  }
  // The chip's sum of shunt voltages: no rail.
  files[`${folder}/in7_label`] = 'sum of shunt voltages\n'
  return files
}

/** The same chip with the driver of JetPack 4: milliwatts at once. */
function ina3221x(rails: readonly (readonly [label: string, milliwatts: number])[]): Record<string, string> {
  const files: Record<string, string> = {}
  for (const folder of ['/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0', '/sys/bus/i2c/devices/6-0040/iio:device0']) {
    files[`${folder}/name`] = 'ina3221x\n'
    for (const [index, [label, milliwatts]] of rails.entries()) {
      files[`${folder}/rail_name_${index}`] = `${label}\n`
      files[`${folder}/in_power${index}_input`] = `${milliwatts}\n`
      files[`${folder}/in_voltage${index}_input`] = '5000\n'
      files[`${folder}/in_current${index}_input`] = `${Math.round(milliwatts / 5)}\n`
    }
  }
  return files
}

const zones = (temperatures: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(temperatures).flatMap(([name, millicelsius], index) => [
      [`${zone}${index}/type`, `${name}\n`],
      [`${zone}${index}/temp`, `${millicelsius}\n`],
    ]),
  )

const boards: Readonly<Record<Board, BoardDescription>> = {
  pi5: {
    cpuinfo: cortexA76,
    governor: 'ondemand',
    currentKhz: 1_500_000,
    maxKhz: 2_400_000,
    files: pi('Raspberry Pi 5 Model B Rev 1.0', 'raspberrypi,5-model-b\0brcm,bcm2712\0', 0, true),
  },
  pi4: {
    cpuinfo: cortexA72,
    governor: 'ondemand',
    currentKhz: 1_500_000,
    maxKhz: 1_800_000,
    files: pi('Raspberry Pi 4 Model B Rev 1.4', 'raspberrypi,4-model-b\0brcm,bcm2711\0', 48, false),
  },
  orin: {
    cpuinfo: cortexA78,
    governor: 'schedutil',
    currentKhz: 1_497_600,
    maxKhz: 1_510_400,
    files: {
      [`${deviceTree}/model`]: 'NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0',
      [`${deviceTree}/compatible`]: 'nvidia,p3768-0000+p3767-0005-super\0nvidia,p3767-0005\0nvidia,tegra234\0',
      ...zones({ 'cpu-thermal': 48562, 'gpu-thermal': 47812, 'soc0-thermal': 47093, 'tj-thermal': 49312 }),
      ...ina3221([
        ['VDD_IN', 5000, 1050],
        ['VDD_CPU_GPU_CV', 5000, 102],
        ['VDD_SOC', 5000, 544],
      ]),
      '/etc/os-release': ubuntu('22.04.5', 'jammy'),
      '/etc/nv_tegra_release':
        '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR=nvidia\nTARGET_USERSPACE_LIB_DIR_PATH=usr/lib/aarch64-linux-gnu/nvidia\n',
      '/var/lib/dpkg/status': dpkgStatus({
        'nvidia-jetpack': '6.2+b77',
        'nvidia-l4t-core': '36.4.3-20250107174145',
        tensorrt: '10.3.0.30-1+cuda12.5',
        libnvinfer10: '10.3.0.30-1+cuda12.5',
        'libnvinfer-bin': '10.3.0.30-1+cuda12.5',
      }),
      '/usr/local/cuda/version.json': '{\n   "cuda" : {\n      "name" : "CUDA SDK",\n      "version" : "12.6.11"\n   }\n}\n',
      '/usr/local/bin/nvpmodel': nvpmodel('15W', 0),
      '/usr/local/bin/tegrastats': tegrastats(
        '10-08-2026 04:38:21 RAM 1343/7620MB (lfb 157x4MB) SWAP 165/3810MB (cached 3MB) CPU [0%@1497,0%@729,off] EMC_FREQ 15%@204 GR3D_FREQ 0%@[305] NVDEC off cpu@48.562C tj@49.312C VDD_IN 5251mW/8535mW VDD_CPU_GPU_CV 512mW/1944mW VDD_SOC 2720mW/3659mW',
      ),
    },
  },
  'nano-jetpack-4': {
    cpuinfo: cortexA57,
    governor: 'schedutil',
    currentKhz: 1_479_000,
    maxKhz: 1_479_000,
    files: {
      [`${deviceTree}/model`]: 'NVIDIA Jetson Nano Developer Kit\0',
      [`${deviceTree}/compatible`]: 'nvidia,p3450-0000\0nvidia,p3449-0000-b00+p3448-0000-b00\0nvidia,jetson-nano\0nvidia,tegra210\0',
      ...zones({ 'AO-therm': 35000, 'CPU-therm': 28500, 'GPU-therm': 27500, 'PLL-therm': 28000, PMIC: -256_000 }),
      ...ina3221x([
        ['POM_5V_IN', 1388],
        ['POM_5V_GPU', 122],
        ['POM_5V_CPU', 204],
      ]),
      '/etc/os-release': ubuntu('18.04.6', 'bionic'),
      '/etc/nv_tegra_release':
        '# R32 (release), REVISION: 7.4, GCID: 33514132, BOARD: t210ref, EABI: aarch64, DATE: Fri Jun  9 04:25:08 UTC 2023\n',
      '/var/lib/dpkg/status': dpkgStatus({
        'nvidia-jetpack': '4.6.4-b39',
        'nvidia-l4t-core': '32.7.4-20230608212426',
        tensorrt: '8.2.1.9-1+cuda10.2',
        libnvinfer8: '8.2.1-1+cuda10.2',
      }),
      '/usr/local/bin/nvpmodel': nvpmodel('MAXN', 0),
      '/usr/local/bin/tegrastats': tegrastats(
        'RAM 1343/3956MB (lfb 157x4MB) CPU [6%@102,6%@102] EMC_FREQ 0% GR3D_FREQ 0% PLL@28C POM_5V_IN 1388/1388 POM_5V_GPU 122/122',
      ),
    },
  },
}
