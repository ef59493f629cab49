import { plainLine } from '../backend/report/plain-text.ts'
import { formatSpan } from '../backend/report/quantities.ts'
import type { Job, Progress } from '../contract/job.ts'
import type { Terminal } from './terminal.ts'

const BAR_WIDTH = 24

/** Shows how far a job is: one line redrawn in place on a terminal, one line for each phase otherwise (logs of a build server). */
export class ProgressDisplay {
  private readonly terminal: Terminal
  private readonly startedAt: number
  private last = ''

  constructor(terminal: Terminal, title: string, startedAt: number) {
    this.terminal = terminal
    this.startedAt = startedAt
    terminal.note(plainLine(title))
    if (terminal.live) {
      terminal.clearLine = () => {
        if (this.last !== '') terminal.redraw('')
        this.last = ''
      }
    }
  }

  /** Takes a new state of the job. */
  show(job: Job, now: number): void {
    const line =
      job.state === 'queued' || job.waitingFor !== null
        ? waitingLine(job)
        : job.progress && phaseLine(job.progress, this.terminal.live ? now - this.startedAt : null)
    if (line === null || line === this.last) return
    this.last = line
    if (this.terminal.live) this.terminal.redraw(cut(`  ${line}`, this.terminal.columns - 1))
    else this.terminal.note(`  ${line}`)
  }

  /** Removes the line from a terminal. */
  end(): void {
    this.terminal.clearLine()
    this.terminal.clearLine = () => undefined
  }
}

function waitingLine(job: Job): string | null {
  return job.waitingFor === null ? null : `waiting for ${plainLine(job.waitingFor)}`
}

/** `[######··]  45 %  quantizing  9/20 nodes  3.1 s` with an elapsed time, else only the phase, so that each phase is one line. */
function phaseLine({ phase, done, total, unit }: Progress, elapsedMs: number | null): string {
  const name = plainLine(phase)
  if (elapsedMs === null) return name
  const counted = total === null ? (done > 0 ? `${done} ${plainLine(unit)}` : '') : `${done}/${total} ${plainLine(unit)}`
  return [...(total ? [bar(done / total)] : []), name, counted, formatSpan(elapsedMs)].filter((part) => part !== '').join('  ')
}

function bar(share: number): string {
  const clamped = Math.min(1, Math.max(0, share))
  const filled = Math.round(clamped * BAR_WIDTH)
  return `[${'#'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(clamped * 100)).padStart(3)} %`
}

function cut(text: string, width: number): string {
  return text.length > width ? text.slice(0, Math.max(0, width)) : text
}
