import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { type TrtexecLine, type TrtexecLog, TrtexecLogReader } from '../../core/tensorrt/trtexec-log.ts'
import { namedOperators } from '../../core/tensorrt/unsupported-ops.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { startWatched } from './tensorrt-process.ts'
import type { Trtexec } from './tensorrt-program.ts'
import { TICK_MS } from './timed-runs.ts'

/** What a call of trtexec has around it. */
export interface TrtexecCall {
  readonly signal: AbortSignal
  /** Gets warnings, errors and what the builder says; left out for none. */
  readonly reporter?: JobReporter
  /** Gets every line as it comes, with the process id as far as it is known. */
  readonly onLine?: (line: TrtexecLine, pid: number | undefined) => void
  /** Called about ten times a second. */
  readonly onTick?: (elapsedMs: number, pid: number | undefined) => void
}

/** Verbose models make thousands of lines; the first ones and the errors tell. */
const MOST_LOGGED = 300
/** Shown of the errors in a message. */
const SHOWN_ERRORS = 3
const KEPT_ERRORS = 20

/**
 * Runs trtexec to its end.
 * @param what is done, for the error: `building the engine`
 * @throws EdgesmithError `TENSORRT_FAILED` with the last errors it printed, `JOB_CANCELLED` (it is killed)
 */
export async function callTrtexec(trtexec: Trtexec, operands: readonly string[], what: string, call: TrtexecCall): Promise<TrtexecLog> {
  throwIfCancelled(call.signal)
  const reader = new TrtexecLogReader()
  const start = performance.now()
  let logged = 0
  const program = startWatched(trtexec.path, operands, {
    environment: trtexec.environment,
    onLine: (raw) => {
      const line = reader.read(raw)
      call.onLine?.(line, program.pid)
      const told =
        line.level === 'warning' || line.level === 'error' || (line.level === 'info' && /^\[TRT\]|^Engine |^Created engine/.test(line.text))
      if (call.reporter && told && logged++ < MOST_LOGGED) call.reporter.log(`trtexec: ${line.text}`)
    },
  })
  const cancel = () => program.kill()
  call.signal.addEventListener('abort', cancel, { once: true })
  const ticks = setInterval(() => call.onTick?.(performance.now() - start, program.pid), TICK_MS)
  try {
    const { code } = await program.ended
    throwIfCancelled(call.signal)
    const { log } = reader
    // Old versions end with 0 although they failed; the last line says it.
    if (code !== 0 || log.outcome === 'failed') throw failure(trtexec, what, code, log)
    return log
  } finally {
    clearInterval(ticks)
    call.signal.removeEventListener('abort', cancel)
    program.kill()
  }
}

function failure(trtexec: Trtexec, what: string, code: number, log: TrtexecLog): EdgesmithError {
  const errors = log.errors.length > 0 ? log.errors : log.unknown.slice(-SHOWN_ERRORS)
  const operators = namedOperators(log.errors)
  const said = errors.length > 0 ? errors.slice(0, SHOWN_ERRORS).join(' | ') : `it ended with ${endText(code)} and said nothing`
  return new EdgesmithError('TENSORRT_FAILED', `TensorRT ${trtexec.versionText} failed at ${what}: ${said}`, {
    hint: hintFor(errors, operators, code),
    details: { code, errors: errors.slice(-KEPT_ERRORS), operators, trtexec: trtexec.path },
  })
}

function endText(code: number): string {
  return code > 128 ? `signal ${code - 128}` : `exit code ${code}`
}

function hintFor(errors: readonly string[], operators: readonly string[], code: number): string {
  const all = errors.join('\n')
  if (/out of memory|outofmemory|requested size|insufficient memory/i.test(all) || code === 137) {
    return 'The board ran out of memory, which GPU and processor share. Close other programs (the desktop too), use a smaller batch, or add swap.'
  }
  if (/unknown option/i.test(all))
    return 'This trtexec is of a version that is not known yet. Please report it with the output of trtexec --help.'
  if (operators.length > 0) {
    return `TensorRT on this device has trouble with ${operators.join(', ')}. Export the model with another opset, make a build with --target tensorrt, or measure with --runtime onnxruntime.`
  }
  if (/cuda|driver|no device/i.test(all))
    return 'The GPU could not be used. Is the user in the group "video", and does another program hold the GPU?'
  return 'The log of the job has everything trtexec said. Measure with --runtime onnxruntime to see whether the model itself runs.'
}
