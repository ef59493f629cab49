/**
 * Kills this process when a file was not touched for long. The whole program of a thread: its source text is started, so it may use nothing
 * from around it. A thread, because the main one may be in a call that blocks. It compares no clocks: a board without one of its own jumps
 * by years when it reaches the network.
 */
export function endUnattended(path: string, limitMs: number, lookMs: number): void {
  const fs = process.getBuiltinModule('node:fs')
  let seen = Number.NaN
  let since = performance.now()
  setInterval(() => {
    const at = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (at !== seen) since = performance.now()
    seen = at
    if (performance.now() - since > limitMs) process.kill(process.pid, 'SIGKILL')
  }, lookMs)
}
