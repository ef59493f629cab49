import { randomUUID } from 'node:crypto'
import type { Dataset } from '../../contract/dataset.ts'
import type { Device } from '../../contract/device.ts'
import type { Matrix } from '../../contract/matrix.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { requireScenario } from '../../engine/measure/scenario-settings.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { measureColumn } from './matrix-column.ts'
import { MatrixProgress } from './matrix-progress.ts'

/** What a matrix is made of, looked up. */
export interface MatrixOrder {
  readonly models: readonly Model[]
  readonly devices: readonly Device[]
  readonly dataset: Dataset | null
  readonly settings: BenchSettings
}

/** Several builds on several devices in one job. */
export function matrixHandlers(services: Services): HandlersOf<'matrix'> & HandlersOf<'matrices'> {
  return {
    'matrix.start': (input) => {
      requireScenario(input.settings)
      const order = lookUp(services, input)
      const jobId = services.queue.start({
        kind: 'matrix.start',
        title: `Latency of ${named(order.models, 'builds')} on ${named(order.devices, 'devices')}`,
        // Each device is waited for and held by itself.
        run: (context) => measureMatrix(services, order, context),
      })
      return { jobId }
    },
    'matrices.list': () => services.matrices.list(),
  }
}

function lookUp({ models, devices, datasets }: Services, input: ProcedureArguments<'matrix.start'>): MatrixOrder {
  return {
    models: [...new Set(input.modelIds)].map((id) => models.get(id)),
    devices: [...new Set(input.deviceIds)].map((id) => devices.get(id)),
    dataset: input.datasetId === undefined ? null : datasets.get(input.datasetId),
    settings: input.settings,
  }
}

/**
 * Measures all devices at the same time, each held alone; devices that share a processor take turns. A device that fails fills its cells with the
 * error, and the others go on.
 *
 * @throws the first device's error when nothing could be measured anywhere; `JOB_CANCELLED`
 */
async function measureMatrix(services: Services, order: MatrixOrder, context: JobContext): Promise<Matrix> {
  const { models, devices, dataset, settings } = order
  const progress = new MatrixProgress(models.length * devices.length, context)
  const columns = await Promise.allSettled(devices.map((device) => measureColumn(services, order, device, progress)))
  throwIfCancelled(context.signal)
  const cells = columns.flatMap((column) => {
    if (column.status === 'fulfilled') return column.value
    throw column.reason
  })
  const [first] = cells.flatMap(({ failure }) => failure ?? [])
  if (first && cells.every(({ cell }) => cell.benchmarkId === null)) throw first
  const matrix: Matrix = {
    id: randomUUID(),
    jobId: context.jobId,
    createdAt: new Date().toISOString(),
    settings,
    models: models.map(({ id, name, sizeBytes }) => ({ id, name, sizeBytes })),
    // Read again: connecting may have told more of a device.
    devices: devices.map(({ id, name }) => ({ id, name, board: services.devices.get(id).report?.board ?? null })),
    dataset: dataset && { id: dataset.id, name: dataset.name },
    cells: cells.map(({ cell }) => cell),
  }
  services.matrices.add(matrix)
  announce(services, 'matrices')
  return matrix
}

function named(entries: readonly { readonly name: string }[], what: string): string {
  return entries.length === 1 ? (entries[0]?.name ?? '') : `${entries.length} ${what}`
}
