import { HttpError } from './http-error.ts'

/** Why a run was not done: its request was answered already (its deadline has passed), or its client is gone. */
export function abandonedRequest(): HttpError {
  return new HttpError('DEADLINE_EXCEEDED', 'Nobody waits for this answer any more.')
}
