import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { type BenchSettings, benchSettingsSchema } from '../../../contract/measurement.ts'

/** The command line that measures the same again. Settings that are the defaults are left out. */
export function benchCommand(model: string, device: { readonly id: string; readonly name: string }, settings: BenchSettings): string {
  const words = ['edgesmith', 'bench', shellWord(model)]
  const usual = benchSettingsSchema.parse({})
  const option = (name: string, value: number | string | undefined, usually?: number | string) => {
    if (value !== undefined && value !== usually) words.push(`--${name}`, String(value))
  }
  option('scenario', settings.scenario, usual.scenario)
  option('rate', settings.rate)
  option('connections', settings.connections, usual.connections)
  option('streams', settings.streams, usual.streams)
  option('batch', settings.batch, usual.batch)
  option('threads', settings.threads, usual.threads)
  option('runtime', settings.runtime, usual.runtime)
  if (settings.runtime === 'tensorrt' && !settings.fp16) words.push('--no-fp16')
  if (settings.seconds === undefined) option('runs', settings.runs, usual.runs)
  else option('seconds', settings.seconds)
  option('warmup-runs', settings.warmupRuns, usual.warmupRuns)
  option('warmup-seconds', settings.warmupSeconds, usual.warmupSeconds)
  if (device.id !== LOCAL_DEVICE_ID) words.push('--device', shellWord(device.name))
  return words.join(' ')
}

/** A word as a POSIX shell takes it unchanged. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
