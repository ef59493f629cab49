import { defineCommand } from '../command.ts'
import { findJob } from '../references.ts'
import { factList } from '../text-table.ts'

export const jobCommand = defineCommand({
  name: 'job',
  summary: 'State, error and log of one job',
  positionals: { job: { description: 'id of the job or its beginning (edgesmith jobs lists them)' } },
  options: {},
  examples: ['job 3f2a91c0'],
  run: async (context, _options, { job: text }) => {
    const job = await findJob(context, text)
    const backend = await context.backend()
    const log = await backend.call('jobs.log', { id: job.id })
    return {
      document: { ...job, log },
      text: [
        factList([
          ['job', job.id],
          ['what', job.title],
          ['state', job.state],
          ['error', job.error && `${job.error.code}: ${job.error.message}`],
          ['what to do', job.error?.hint],
          ['created', job.createdAt],
          ['started', job.startedAt],
          ['finished', job.finishedAt],
        ]),
        ...(log.length > 0 ? ['', ...log.map(({ at, text: line }) => `${at}  ${line}`)] : []),
      ].join('\n'),
    }
  },
})
