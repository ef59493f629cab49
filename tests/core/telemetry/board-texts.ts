import { KeptFiles } from '../../../src/core/telemetry/system-files.ts'
import { boardFiles } from '../../devices/board-files.ts'

/** Files of a made-up machine. */
export function kept(texts: Readonly<Record<string, string>>): KeptFiles {
  const files = new KeptFiles()
  for (const [path, text] of Object.entries(texts)) files.set(path, text)
  return files
}

/** What a board whose files a test device can show says in /proc and /sys, with some of it changed. */
export function boardTexts(
  board: Parameters<typeof boardFiles>[0],
  changes: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const all = { ...boardFiles(board, 4), ...changes }
  return Object.fromEntries(Object.entries(all).filter(([path]) => /^\/(proc|sys)\//.test(path)))
}
