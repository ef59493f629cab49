import { runCommandLine } from './command-line.ts'
import { Interruption } from './interruption.ts'
import { Terminal } from './terminal.ts'

// A reader that has gone (`edgesmith models | head -1`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

const interruption = new Interruption()
let interrupted = false
/** Exit code of a program ended by Ctrl+C: 128 + SIGINT. */
const KILLED = 130
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted || !interruption.interrupt()) process.exit(KILLED)
    interrupted = true
  })
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  workingFolder: process.cwd(),
  terminal: new Terminal(process.stdin, process.stdout, process.stderr),
  interruption,
})
