import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Backend, type BackendOptions, openBackend } from '../../src/backend/backend.ts'
import type { SecretStore } from '../../src/backend/secret-store.ts'
import type { Job } from '../../src/contract/job.ts'
import type { JobProcedureName, JobResult, ProcedureInput } from '../../src/contract/procedures.ts'

export const modelsFolder = join(import.meta.dirname, '../../models')

/** A workspace folder with the backend on it, run in this process from source. */
export interface TestWorkspace {
  readonly backend: Backend
  readonly folder: string
  /** Starts a job and answers it when it has ended. */
  job<N extends JobProcedureName>(name: N, input: ProcedureInput<N>): Promise<Job>
  /** Starts a job that must succeed; answers its result. */
  result<N extends JobProcedureName>(name: N, input: ProcedureInput<N>): Promise<JobResult<N>>
  /** Half-written files that somebody left. */
  leftovers(): string[]
  close(): Promise<void>
}

/** Secrets in memory, as Electron main keeps them where the system has no key store. */
function memorySecrets(): SecretStore {
  const kept = new Map<string, string>()
  return {
    get: async (key) => kept.get(key) ?? null,
    put: async (key, value) => void kept.set(key, value),
    remove: async (key) => void kept.delete(key),
  }
}

export async function openWorkspace(options: Omit<BackendOptions, 'workspace' | 'secrets'> = {}): Promise<TestWorkspace> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-integration-'))
  const secrets = memorySecrets()
  const backend = await openBackend({ ...options, workspace: folder, secrets })
  const job: TestWorkspace['job'] = async (name, input) => {
    const { jobId } = (await backend.call(name, input)) as { jobId: string }
    return backend.call('jobs.wait', { id: jobId })
  }
  return {
    backend,
    folder,
    job,
    async result(name, input) {
      const ended = await job(name, input)
      if (ended.state !== 'succeeded') throw new Error(`${name} ${ended.state}: ${ended.error?.code} ${ended.error?.message}`)
      return ended.result as JobResult<typeof name>
    },
    leftovers: () => readdirSync(join(folder, 'tmp'), { recursive: true }).map(String),
    async close() {
      await backend.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
