import { Worker } from 'node:worker_threads'
import { EdgesmithError } from '../contract/errors.ts'

/** A request is paths and settings, and at most the golden answers and reference data of a release (some megabytes); longer is a mistake. */
const REQUEST_LIMIT = 2 ** 25
/** How long the main thread may take to end by itself after standard input closed. */
const GRACE_MS = 300

/** What the watching thread reports. */
type Report = { readonly kind: 'line'; readonly line: string } | { readonly kind: 'closed' } | { readonly kind: 'too-long' }

/** Exit code of a process that was told to stop, as shells use for Ctrl-C. */
const CANCELLED_EXIT_CODE = 130

/**
 * Reads the host's request from standard input and from then on watches it: when the host closes it, cancels or dies, this process ends.
 *
 * The watching is done by a thread of its own, because ONNX Runtime loads and runs models in blocking calls: the main thread would see
 * the end of a connection only after a load or inference that takes a minute. A main thread that does not react is killed.
 *
 * @returns the first line, without its line break
 * @throws EdgesmithError `USAGE` for a first line of more than 32 MiB
 */
export function receiveRequest(): Promise<string> {
  const watcher = new Worker(`(${watchStandardInput.toString()})(${REQUEST_LIMIT}, ${GRACE_MS})`, { eval: true })
  return new Promise((resolve, reject) => {
    watcher.on('error', reject)
    watcher.on('message', (report: Report) => {
      if (report.kind === 'closed') process.exit(CANCELLED_EXIT_CODE)
      if (report.kind === 'line') resolve(report.line)
      else reject(new EdgesmithError('USAGE', `The request is longer than ${REQUEST_LIMIT} bytes.`))
    })
  })
}

/** The thread's whole program: its source text is started, so it may use nothing from around it. */
function watchStandardInput(limit: number, graceMs: number): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  const fs = process.getBuiltinModule('node:fs')
  const net = process.getBuiltinModule('node:net')
  const tty = process.getBuiltinModule('node:tty')
  const kind = fs.fstatSync(0)
  const input =
    kind.isFIFO() || kind.isSocket()
      ? new net.Socket({ fd: 0, readable: true, writable: false })
      : tty.isatty(0)
        ? new tty.ReadStream(0)
        : fs.createReadStream('', { fd: 0 })
  const chunks: Buffer[] = []
  let length = 0
  let done = false
  input.on('data', (chunk: Buffer) => {
    if (done) return
    chunks.push(chunk)
    length += chunk.length
    const ends = chunk.includes(10)
    if (!ends && length <= limit) return
    done = true
    const line = Buffer.concat(chunks).toString('utf8').split('\n', 1)[0] ?? ''
    parentPort?.postMessage(line.length > limit ? { kind: 'too-long' } : { kind: 'line', line })
  })
  const closed = () => {
    parentPort?.postMessage({ kind: 'closed' })
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs)
  }
  input.on('end', closed)
  input.on('error', closed)
}
