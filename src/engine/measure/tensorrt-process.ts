import { type ChildProcess, spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'

/** How a program ended. */
export interface ProgramEnd {
  /** Exit code; a signal counts as 128 and its number, as shells have it. */
  readonly code: number
}

/** A program that runs, and ends when this process does. */
export interface WatchedProgram {
  /** Its process id; `undefined` until it is known. */
  readonly pid: number | undefined
  /** Settles when it has ended and all it said was read. @throws Error when it cannot be started */
  readonly ended: Promise<ProgramEnd>
  /** Ends it for sure. */
  kill(): void
}

/** What shells answer for a program that SIGKILL ended. */
const KILLED = 137
/** More of one line is not kept. */
const LONGEST_LINE = 8192

/**
 * Starts a program, waits for it, and kills it when standard input ends: that happens when this process is gone, however it went. A
 * build of minutes must not go on without anybody who wants it. The process id comes on descriptor 3. Needs nothing but a POSIX shell.
 */
const guard = `exec 4<&0
"$@" </dev/null 3>&- 4<&- &
program=$!
echo "$program" >&3
( read -r nothing <&4; kill -9 "$program" ) >/dev/null 2>&1 3>&- &
watch=$!
exec 3>&- 4<&-
wait "$program"
code=$?
kill "$watch" 2>/dev/null
exit $code`

/**
 * Runs a program with both of its outputs as lines.
 * @param onLine gets every line in the order it came, without its end
 */
export function startWatched(
  program: string,
  operands: readonly string[],
  { environment, onLine }: { readonly environment: NodeJS.ProcessEnv; readonly onLine: (line: string) => void },
): WatchedProgram {
  const child: ChildProcess = spawn('/bin/sh', ['-c', guard, 'sh', program, ...operands], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: environment,
  })
  let pid: number | undefined
  let killed = false
  child.stdin?.on('error', () => {})
  const told = child.stdio[3]
  if (told && 'on' in told) {
    told.on('error', () => {})
    told.on('data', (bytes: Buffer) => {
      pid ??= Number.parseInt(bytes.toString('latin1'), 10) || undefined
    })
  }
  for (const output of [child.stdout, child.stderr]) if (output) readLines(output, onLine)
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? KILLED }))
    // Nobody wants the rest of what a killed program, or one that it started, might say.
    child.once('exit', (code) => {
      if (!killed) return
      for (const output of [child.stdout, child.stderr]) output?.destroy()
      resolve({ code: code ?? KILLED })
    })
  })
  return {
    get pid() {
      return pid
    },
    ended,
    kill: () => {
      killed = true
      child.stdin?.destroy()
    },
  }
}

function readLines(output: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let open = ''
  const take = (text: string) => {
    const parts = text.split('\n')
    open = (open + (parts[0] as string).slice(0, LONGEST_LINE)).slice(0, LONGEST_LINE)
    for (const part of parts.slice(1)) {
      onLine(open)
      open = part.slice(0, LONGEST_LINE)
    }
  }
  output.on('data', (bytes: Buffer) => take(decoder.write(bytes)))
  output.on('end', () => {
    take(decoder.end())
    if (open !== '') onLine(open)
  })
}
