import { open, rename, rm } from 'node:fs/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { type PredictionPage, predictionPageSchema } from '../../contract/service-protocol.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { jsonBody } from '../../platform/http-call.ts'
import { writeError } from '../../platform/write-file.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'
import { ServiceAccess } from '../serving/service-access.ts'

/** What services logged, as files of this computer. */
export function predictionHandlers(services: Services): HandlersOf<'predictions'> {
  const access = new ServiceAccess(services)
  return {
    'predictions.export': (input) => {
      const { service, device } = services.deployments.get(input.deploymentId)
      const jobId = services.queue.start({
        kind: 'predictions.export',
        title: `Predictions of ${service} on ${device}`,
        run: (context) => exportPredictions(access, input, context),
      })
      return { jobId }
    },
  }
}

/**
 * Asks for part after part, each a fraction of a second of the service's time, and writes them under another name until all is there.
 * @throws EdgesmithError `NOT_FOUND` for a service that logs none, `SERVICE_NOT_RUNNING`, `FILE_NOT_WRITABLE`, `NO_SPACE`, `JOB_CANCELLED`
 */
async function exportPredictions(
  access: Pick<ServiceAccess, 'ask'>,
  { deploymentId, path }: ProcedureArguments<'predictions.export'>,
  { signal, progress }: JobContext,
): Promise<{ path: string; sizeBytes: number; rows: number }> {
  const format = path.toLowerCase().endsWith('.csv') ? 'csv' : 'jsonl'
  const temporary = `${path}.part`
  const file = await open(temporary, 'w', 0o600).catch((error: unknown) => {
    throw writeError(error, path)
  })
  try {
    let page: Pick<PredictionPage, 'after' | 'done'> & { readonly newest: number | null } = { after: 0, newest: null, done: false }
    let [sizeBytes, rows] = [0, 0]
    while (!page.done) {
      throwIfCancelled(signal)
      const next = await askPage(access, deploymentId, { format, after: page.after, newest: page.newest })
      rows += next.rows
      sizeBytes += (await file.write(next.text)).bytesWritten
      page = next
      progress({ phase: 'reading what was logged', done: next.after, total: next.newest, unit: 'predictions' })
    }
    await file.sync()
    await file.close()
    await rename(temporary, path)
    return { path, sizeBytes, rows }
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error instanceof EdgesmithError ? error : writeError(error, path)
  }
}

async function askPage(
  access: Pick<ServiceAccess, 'ask'>,
  deploymentId: string,
  request: { readonly format: string; readonly after: number; readonly newest: number | null },
): Promise<PredictionPage> {
  const { status, body } = await access.ask(deploymentId, '/control/predictions', jsonBody(request))
  const page = predictionPageSchema.safeParse(body)
  if (status === 200 && page.success) return page.data
  if (status === 409) {
    throw new EdgesmithError('NOT_FOUND', 'The service has logged no predictions.', {
      hint: 'Deploy it with a prediction log first (--log-predictions SHARE on the command line).',
    })
  }
  throw new EdgesmithError('DEVICE_PROTOCOL', `The service answers status ${status} to the question for its predictions.`, {
    hint: 'It may be of another version: deploy it again.',
  })
}
