import { accessSync, constants } from 'node:fs'
import { CoreError } from '../../src/core/core-error.ts'

/** Runs a program's main function; an error meant for people is printed without a stack and ends the program with exit code 2. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof CoreError)) throw error
    console.error(`error ${error.code}: ${error.message}${error.hint ? `\n${error.hint}` : ''}`)
    process.exitCode = 2
  }
}

/** A whole number from the command line. @throws CoreError `USAGE` when it is none or out of range */
export function wholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < lowest || value > highest) {
    throw new CoreError('USAGE', `--${option} ${text}: expected a whole number from ${lowest} to ${highest}`)
  }
  return value
}

/** Makes sure, before minutes of work, that files can be written to a folder. @throws CoreError `FILE_NOT_WRITABLE` */
export function requireWritableFolder(folder: string): void {
  try {
    accessSync(folder, constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CoreError('FILE_NOT_WRITABLE', `cannot write to the folder ${folder}: ${reason}`)
  }
}
