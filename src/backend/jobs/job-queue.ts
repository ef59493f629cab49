import { randomUUID } from 'node:crypto'
import type { BackendEvent } from '../../contract/backend-event.ts'
import { toErrorReport } from '../../contract/errors.ts'
import type { Job, JobReporter } from '../../contract/job.ts'
import { cancelledError, throwIfCancelled } from '../../platform/cancellation.ts'
import type { JobRepository } from '../../storage/job-repository.ts'
import type { LeaseMode, LeaseRepository } from '../../storage/lease-repository.ts'
import { ProgressLimiter } from './progress-limiter.ts'

/** What a job works with. */
export interface JobContext extends JobReporter {
  readonly jobId: string
  /** Aborted when someone cancels: stop soon and throw. */
  readonly signal: AbortSignal
  /** Remembers the process doing the work, so that it can be swept if this one dies. */
  enginePid(pid: number | null): void
  /**
   * Waits for a machine, does a part of the work on it and gives it back. For jobs that began without a machine and need it, or several,
   * by turns or at once: others may work between the parts. A job that holds a machine already must not ask for the same one.
   */
  onMachine<T>(machine: MachineNeed, work: () => Promise<T>): Promise<T>
}

/** The machine work happens on, and whether it must be alone there. */
export interface MachineNeed {
  readonly key: string
  readonly mode: LeaseMode
}

/** What to run and what it needs. */
export interface JobSpec<T> {
  /** The procedure that started it. */
  readonly kind: string
  readonly title: string
  /** Held from the first moment to the last; without it the job waits for nothing. */
  readonly machine?: MachineNeed
  /** It succeeded where it ends well after it was cancelled: what it did stays done, whatever becomes of its result. Otherwise it was cancelled. */
  readonly endsLate?: boolean
  readonly run: (context: JobContext) => Promise<T>
}

/** How often a waiting job looks whether its machine is free, and a running one whether another process cancelled it. */
const POLL_MS = 150
/** Jobs of one process that work at the same time; more would only share the same memory and cores. */
const MAX_RUNNING = 3

/**
 * Runs jobs: queued → running → succeeded | failed | cancelled. Every change is stored before it is announced.
 * Timed jobs hold an exclusive lease on their machine, also against other processes of the same workspace.
 */
export class JobQueue {
  private readonly jobs: JobRepository
  private readonly leases: LeaseRepository
  private readonly emit: (event: BackendEvent) => void
  private readonly controllers = new Map<string, AbortController>()
  private readonly endings = new Map<string, Promise<void>>()
  private readonly poll: NodeJS.Timeout
  /** Machines that each job of this process holds. */
  private readonly held = new Map<string, number>()

  constructor(jobs: JobRepository, leases: LeaseRepository, emit: (event: BackendEvent) => void) {
    this.jobs = jobs
    this.leases = leases
    this.emit = emit
    this.poll = setInterval(() => this.takeCancelRequests(), POLL_MS)
    this.poll.unref()
  }

  /** Queues a job and answers its id at once. The work's value becomes the job's result and must be JSON. */
  start<T>(spec: JobSpec<T>): string {
    const id = randomUUID()
    this.jobs.add({ id, kind: spec.kind, title: spec.title, createdAt: new Date().toISOString() })
    const controller = new AbortController()
    this.controllers.set(id, controller)
    this.announce(id)
    const ending = this.runToEnd(id, spec, controller.signal).finally(() => {
      this.controllers.delete(id)
      this.endings.delete(id)
    })
    this.endings.set(id, ending)
    return id
  }

  /** Asks a job to stop, also one of another process. */
  cancel(id: string): Job {
    const job = this.jobs.get(id)
    if (job.state === 'queued' || job.state === 'running') {
      const own = this.controllers.get(id)
      if (own) own.abort()
      else this.jobs.requestCancel(id)
    }
    return this.jobs.get(id)
  }

  /** Answers when the job has ended, wherever it runs. */
  async wait(id: string): Promise<Job> {
    await this.endings.get(id)
    for (;;) {
      const job = this.jobs.get(id)
      if (job.state !== 'queued' && job.state !== 'running') return job
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** Number of this process's jobs that have not ended. */
  get active(): number {
    return this.controllers.size
  }

  /** Cancels everything of this process and waits until it has ended. */
  async close(): Promise<void> {
    for (const controller of this.controllers.values()) controller.abort()
    await Promise.all(this.endings.values())
    clearInterval(this.poll)
  }

  private async runToEnd<T>(id: string, spec: JobSpec<T>, signal: AbortSignal): Promise<void> {
    const limiter = new ProgressLimiter((progress) => {
      this.jobs.setProgress(id, progress)
      this.announce(id)
    })
    const now = () => new Date().toISOString()
    let release: (() => void) | undefined
    try {
      release = await this.admit(id, spec.machine, signal)
      this.jobs.start(id, now())
      this.announce(id)
      const result = await spec.run({
        jobId: id,
        signal,
        progress: (progress) => limiter.push(progress),
        log: (text) => this.jobs.appendLog(id, now(), text),
        enginePid: (pid) => this.jobs.setEnginePid(id, pid),
        onMachine: (machine, work) => this.onMachine(id, machine, signal, work),
      })
      if (!spec.endsLate) throwIfCancelled(signal)
      limiter.flush()
      this.jobs.finish(id, 'succeeded', now(), { result })
    } catch (error) {
      limiter.flush()
      if (signal.aborted) {
        this.jobs.finish(id, 'cancelled', now(), { error: toErrorReport(cancelledError()) })
      } else {
        const report = toErrorReport(error)
        this.jobs.appendLog(
          id,
          now(),
          error instanceof Error && report.code === 'INTERNAL' ? (error.stack ?? error.message) : `${report.code}: ${report.message}`,
        )
        this.jobs.finish(id, 'failed', now(), { error: report })
      }
    } finally {
      release?.()
      this.announce(id)
    }
  }

  /** Waits for a free slot and for the machine; answers the function that gives both back. */
  private async admit(id: string, machine: MachineNeed | undefined, signal: AbortSignal): Promise<() => void> {
    const ticket = machine && this.leases.request(machine.key, machine.mode, id)
    const free = () => {
      if (ticket !== undefined) this.leases.release(ticket)
    }
    try {
      let told: string | undefined
      for (;;) {
        throwIfCancelled(signal)
        const blocker = machine && ticket !== undefined ? this.leases.blocker(machine.key, ticket) : undefined
        // A job that works already takes no further slot for another machine.
        if (blocker === undefined && (!machine || this.held.has(id) || this.held.size < MAX_RUNNING)) break
        const reason = blocker === undefined ? 'other jobs of this window' : `“${this.jobs.get(blocker).title}” on the same machine`
        if (reason !== told) {
          told = reason
          this.jobs.setWaitingFor(id, reason)
          this.announce(id)
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    } catch (error) {
      free()
      throw error
    }
    // Jobs without a machine only wait for other jobs (the guided tour): they take no slot, or they could wait for themselves.
    if (machine) this.held.set(id, (this.held.get(id) ?? 0) + 1)
    return () => {
      const left = (this.held.get(id) ?? 0) - 1
      if (machine && left > 0) this.held.set(id, left)
      else if (machine) this.held.delete(id)
      free()
    }
  }

  private async onMachine<T>(id: string, machine: MachineNeed, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const release = await this.admit(id, machine, signal)
    try {
      this.jobs.setWaitingFor(id, null)
      this.announce(id)
      return await work()
    } finally {
      release()
    }
  }

  private takeCancelRequests(): void {
    if (this.controllers.size === 0) return
    for (const id of this.jobs.cancelRequests()) this.controllers.get(id)?.abort()
  }

  private announce(id: string): void {
    this.emit({ type: 'job', job: this.jobs.get(id) })
  }
}
