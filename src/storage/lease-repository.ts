import type { WorkspaceDatabase } from './database.ts'

/** `exclusive` for what is timed, `shared` for other work on the same machine. */
export type LeaseMode = 'exclusive' | 'shared'

interface LeaseRow {
  ticket: number
  mode: LeaseMode
  job_id: string
  owner: string
}

/**
 * Who may use a machine now, across all processes of a workspace: first come, first served. A shared lease is held when nothing
 * exclusive stands before it, an exclusive one when nothing at all stands before it; so a timed job never runs beside another
 * and never starves.
 */
export class LeaseRepository {
  private readonly database: WorkspaceDatabase
  private readonly owner: string
  private readonly isAlive: (owner: string) => boolean

  /** @param isAlive tells whether the process with that identity still runs; rows of dead ones are dropped */
  constructor(database: WorkspaceDatabase, owner: string, isAlive: (owner: string) => boolean) {
    this.database = database
    this.owner = owner
    this.isAlive = isAlive
  }

  /** Takes a place in the machine's queue. */
  request(machine: string, mode: LeaseMode, jobId: string): number {
    const { lastInsertRowid } = this.database
      .prepare('insert into leases (machine, mode, job_id, owner) values (?, ?, ?, ?)')
      .run(machine, mode, jobId, this.owner)
    return Number(lastInsertRowid)
  }

  /** The job that must end before this ticket holds the machine, or `undefined` when it holds it. */
  blocker(machine: string, ticket: number): string | undefined {
    const rows = this.database
      .prepare<[string, number], LeaseRow>('select * from leases where machine = ? and ticket <= ? order by ticket')
      .all(machine, ticket)
    const own = rows.pop()
    if (own?.ticket !== ticket) throw new Error(`lease ${ticket} is gone`)
    for (const row of rows) {
      if (row.owner !== this.owner && !this.isAlive(row.owner)) this.release(row.ticket)
      else if (own.mode === 'exclusive' || row.mode === 'exclusive') return row.job_id
    }
    return undefined
  }

  release(ticket: number): void {
    this.database.prepare('delete from leases where ticket = ?').run(ticket)
  }
}
