import type { JobContext } from '../jobs/job-queue.ts'

/** Progress of a job that measures on several devices at once: cells done of all cells, with what each device does now. */
export class MatrixProgress {
  private readonly total: number
  private readonly context: JobContext
  private readonly doing = new Map<string, string>()
  private done = 0

  constructor(total: number, context: JobContext) {
    this.total = total
    this.context = context
  }

  /** The job for the work of one device: its log lines name the device, its progress becomes part of the whole. */
  on(device: string): JobContext {
    const { context } = this
    return {
      ...context,
      log: (text) => context.log(`${device}: ${text}`),
      progress: ({ phase }) => this.show(device, phase),
    }
  }

  show(device: string, phase: string): void {
    if (this.doing.get(device) === phase) return
    this.doing.set(device, phase)
    this.push()
  }

  /** A number of cells of a device has been measured or given up. */
  finished(count: number): void {
    this.done += count
    this.push()
  }

  /** Nothing more is done on a device. */
  leave(device: string): void {
    this.doing.delete(device)
    this.push()
  }

  private push(): void {
    const phase = [...this.doing].map(([device, what]) => `${device}: ${what}`).join('; ') || 'finished'
    this.context.progress({ phase, done: this.done, total: this.total, unit: 'cells' })
  }
}
