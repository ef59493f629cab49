/** Steps write to stderr only: stdout belongs to the command that is being prepared. */
const output = process.stderr

/** Without a terminal one line every so often is enough to see that something moves. */
const plainIntervalMs = 10_000
const terminalIntervalMs = 250

/**
 * @typedef {object} ProgressStep
 * @property {(detail: string) => void} update what is being done now, for example `120 of 310 packages`
 * @property {(detail?: string) => void} done ends the step and prints its wall time
 * @property {() => void} fail ends the step; the error itself is printed by whoever catches it
 */

/**
 * Shows one long step with the seconds elapsed: a line that redraws itself on a terminal, plain lines elsewhere.
 * @param {string} label
 * @returns {ProgressStep}
 */
export function startStep(label) {
  const startedAt = Date.now()
  let detail = ''
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`
  const line = () => `${label}: ${detail ? `${detail}, ` : ''}${seconds()}`
  const redraw = () => output.write(`\r\x1b[2K${line()}`)
  if (output.isTTY) redraw()
  else output.write(`${label} …\n`)
  const timer = setInterval(
    () => (output.isTTY ? redraw() : output.write(`  ${line()}\n`)),
    output.isTTY ? terminalIntervalMs : plainIntervalMs,
  )
  timer.unref()
  const finish = (/** @type {string} */ outcome) => {
    clearInterval(timer)
    output.write(`${output.isTTY ? '\r\x1b[2K' : ''}${label}: ${outcome}\n`)
  }
  return {
    update: (text) => {
      detail = text
    },
    done: (text) => finish(text ? `${text}, ${seconds()}` : `done, ${seconds()}`),
    fail: () => finish(`failed after ${seconds()}`),
  }
}

/**
 * Runs work as a shown step; ends the line whichever way it goes.
 * @template T
 * @param {string} label
 * @param {(step: ProgressStep) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withStep(label, work) {
  const step = startStep(label)
  try {
    const result = await work(step)
    step.done()
    return result
  } catch (error) {
    step.fail()
    throw error
  }
}

/**
 * One line for the person at the keyboard, on stderr.
 * @param {string} text
 */
export function say(text) {
  output.write(`${text}\n`)
}

/**
 * @param {number} bytes
 * @returns {string} for example `196 MB`
 */
export function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`
}
