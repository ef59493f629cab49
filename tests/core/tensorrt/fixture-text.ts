import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTrtexecHelp } from '../../../src/core/tensorrt/trtexec-help.ts'
import { type TrtexecLog, TrtexecLogReader } from '../../../src/core/tensorrt/trtexec-log.ts'
import { tensorRtVersion } from '../../../src/core/tensorrt/trtexec-version.ts'

/** A file of `fixtures`. */
export function fixtureText(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8')
}

export function readLog(text: string): TrtexecLog {
  const reader = new TrtexecLogReader()
  for (const line of text.split('\n')) reader.read(line)
  return reader.log
}

/** Help and version of a trtexec of which there is a help text: `8.5`. */
export function trtexecOf(version: string) {
  const [major, minor] = version.split('.').map(Number) as [number, number]
  const number = major >= 10 ? major * 10_000 + minor * 100 : major * 1000 + minor * 100
  return { help: readTrtexecHelp(fixtureText(`help-${version}.txt`)), version: tensorRtVersion(`[TensorRT v${number}]`) }
}

export const helpVersions = ['7.1', '8.0', '8.2', '8.4', '8.5', '8.6', '10.3', '10.13', '11.1'] as const
