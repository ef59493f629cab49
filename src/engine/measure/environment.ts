import { availableParallelism, cpus, hostname, loadavg, platform, release, totalmem } from 'node:os'
import type { Environment } from '../../contract/environment.ts'
import { readSystemFile, type SystemRoot } from '../../platform/system-files.ts'
import { onnxRuntimeVersion } from '../runtimes/onnx-runtime.ts'
import type { ClockState } from './clock-state.ts'
import { readDeviceTree } from './device-tree.ts'
import { describeProcessor } from './processor.ts'

/**
 * The machine and software a measurement runs on, for the record. Facts a system does not give are `null` or named after what is
 * known; nothing is guessed.
 *
 * @param clocks read once by the caller, who also compares it with a later reading
 */
export function readEnvironment(root: SystemRoot, clocks: ClockState, edgesmithVersion: string): Environment {
  const processors = cpus()
  const processor = describeProcessor(readSystemFile(root, '/proc/cpuinfo'), processors[0]?.model ?? '')
  return {
    hostname: hostname(),
    machine: machineName(root) ?? processor.name,
    architecture: process.arch,
    system: systemName(root),
    cpu: processor.name,
    cpuFeatures: processor.features,
    logicalCores: Math.max(processors.length, availableParallelism()),
    memoryBytes: totalmem(),
    governor: clocks.governor ?? null,
    // Windows has no load average; Node.js gives zeros there.
    loadAverage: platform() === 'win32' ? null : (loadavg()[0] ?? null),
    temperatureC: clocks.temperatureC ?? null,
    nodeVersion: process.versions.node,
    onnxRuntimeVersion,
    edgesmithVersion,
  }
}

/** Board or computer model: the device tree on boards, the BIOS's words on PCs. */
function machineName(root: SystemRoot): string | undefined {
  const board = readDeviceTree(root, 'model')
  if (board) return board
  const bios = '/sys/devices/virtual/dmi/id'
  const words = [readSystemFile(root, `${bios}/sys_vendor`), readSystemFile(root, `${bios}/product_name`)].filter(Boolean)
  return words.length > 0 ? words.join(' ') : undefined
}

/** For example `Debian GNU/Linux 12 (bookworm), Linux 6.1.0`. */
function systemName(root: SystemRoot): string {
  const names: Readonly<Record<string, string>> = { linux: 'Linux', darwin: 'Darwin (macOS)', win32: 'Windows' }
  const kernel = `${names[platform()] ?? platform()} ${release()}`
  const pretty = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readSystemFile(root, '/etc/os-release') ?? '')?.[1]
  return pretty ? `${pretty}, ${kernel}` : kernel
}
