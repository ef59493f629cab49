import type { z } from 'zod'
import { analysisProcedures } from './procedures/analyses.ts'
import { buildProcedures } from './procedures/builds.ts'
import { datasetProcedures } from './procedures/datasets.ts'
import { deploymentProcedures } from './procedures/deployments.ts'
import { deviceProcedures } from './procedures/devices.ts'
import { jobProcedures } from './procedures/jobs.ts'
import { measuringProcedures } from './procedures/measuring.ts'
import { modelProcedures } from './procedures/models.ts'
import { reportProcedures } from './procedures/reports.ts'
import { workspaceProcedures } from './procedures/workspace.ts'

/**
 * Everything the backend can do, declared once: IPC, preload bridge, command line and forms are made from this table.
 * Names are `noun.verb`; the folder has a table for each subject.
 */
export const procedures = {
  ...workspaceProcedures,
  ...modelProcedures,
  ...datasetProcedures,
  ...buildProcedures,
  ...analysisProcedures,
  ...measuringProcedures,
  ...jobProcedures,
  ...deviceProcedures,
  ...deploymentProcedures,
  ...reportProcedures,
} as const

export type ProcedureName = keyof typeof procedures
/** What a caller passes (defaults may be left out). */
export type ProcedureInput<N extends ProcedureName> = z.input<(typeof procedures)[N]['input']>
/** What a handler receives (defaults filled in). */
export type ProcedureArguments<N extends ProcedureName> = z.output<(typeof procedures)[N]['input']>
export type ProcedureOutput<N extends ProcedureName> = z.output<(typeof procedures)[N]['output']>
/** Names of procedures that start a job. */
export type JobProcedureName = { [N in ProcedureName]: (typeof procedures)[N] extends { job: z.ZodType } ? N : never }[ProcedureName]
export type JobResult<N extends JobProcedureName> = (typeof procedures)[N] extends { job: infer R extends z.ZodType } ? z.output<R> : never
