import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'

/** Looking at jobs and cancelling them. */
export function jobHandlers(services: Services): HandlersOf<'jobs'> {
  const { jobs, queue } = services
  return {
    'jobs.list': ({ limit }) => jobs.list(limit),
    'jobs.get': ({ id }) => jobs.get(id),
    'jobs.log': ({ id }) => jobs.log(jobs.get(id).id),
    'jobs.cancel': ({ id }) => queue.cancel(id),
    'jobs.wait': ({ id }) => queue.wait(jobs.get(id).id),
  }
}
