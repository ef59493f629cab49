import { PassThrough } from 'node:stream'
import type { z } from 'zod'
import { runCommandLine } from '../../src/cli/command-line.ts'
import { Interruption } from '../../src/cli/interruption.ts'
import { Terminal } from '../../src/cli/terminal.ts'

/** What a command line printed, and its exit code. */
export interface CallResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Standard output as the one JSON document it must be, checked by a schema. */
  json<T>(schema: z.ZodType<T>): T
}

export interface CallOptions {
  readonly workspace: string
  /** Folder it runs in. */
  readonly folder: string
  /** Makes it a terminal at which somebody types this. */
  readonly answer?: string
}

/**
 * Runs `edgesmith` inside the test's own process: everything but the start of a process is real. A hundred starts of Node.js would
 * take most of the time of the tests; `program.test.ts` runs real processes.
 */
export async function callCli(args: readonly string[], { workspace, folder, answer }: CallOptions): Promise<CallResult> {
  const [input, output, notes] = [new PassThrough(), new PassThrough(), new PassThrough()]
  if (answer !== undefined) {
    for (const stream of [input, output, notes]) Object.assign(stream, { isTTY: true, columns: 100 })
    input.end(answer)
  }
  const terminal = new Terminal(
    input as unknown as NodeJS.ReadStream,
    output as unknown as NodeJS.WriteStream,
    notes as unknown as NodeJS.WriteStream,
  )
  const environment = { HOME: folder, EDGESMITH_WORKSPACE: workspace }
  const code = await runCommandLine(args, { environment, workingFolder: folder, terminal, interruption: new Interruption() })
  const [stdout, stderr] = [output, notes].map((stream) => String(stream.read() ?? '')) as [string, string]
  return { code, stdout, stderr, json: (schema) => schema.parse(JSON.parse(stdout)) }
}
