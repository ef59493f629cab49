/**
 * Ends a child when this process is told to end: npm, for one, would go on writing node_modules while the next set-up begins.
 * @param {import('node:child_process').ChildProcess} child
 */
export function endWithParent(child) {
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const onExit = () => child.kill('SIGTERM')
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    child.kill('SIGTERM')
    forget()
    // Nobody else may be listening: die of the signal, as we would have without a child.
    process.kill(process.pid, signal)
  }
  const forget = () => {
    process.off('exit', onExit)
    for (const signal of signals) process.off(signal, onSignal)
  }
  process.on('exit', onExit)
  for (const signal of signals) process.on(signal, onSignal)
  child.once('close', forget)
}
