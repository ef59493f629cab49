import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import { setting } from '../option.ts'
import { shortId } from '../references.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const jobsCommand = defineCommand({
  name: 'jobs',
  summary: 'List jobs, those of the window included',
  positionals: {},
  options: { limit: setting('N', procedures['jobs.list'].input.shape.limit, 'how many, newest first') },
  examples: ['jobs', 'jobs --limit 5 --json'],
  run: async (context, { limit }) => {
    const backend = await context.backend()
    const jobs = await backend.call('jobs.list', { limit })
    const rows = jobs.map((job) => [
      shortId(job.id),
      shortMoment(job.createdAt),
      job.state,
      job.title,
      job.error ? `${job.error.code}: ${job.error.message}` : (job.waitingFor ?? ''),
    ])
    return {
      document: { jobs },
      text:
        rows.length === 0
          ? 'No jobs yet.'
          : textTable([{ title: 'id' }, { title: 'when' }, { title: 'state' }, { title: 'what' }, { title: '' }], rows),
    }
  },
})
