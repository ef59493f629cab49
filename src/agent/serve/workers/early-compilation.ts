import { setFlagsFromString } from 'node:v8'

/**
 * V8 12.4 compiles a function after 3,000 calls, which a small model has answered in a moment and one of 20 ms after minutes or days. Until then a request
 * takes twice the processor time, the model's own run left out: between two runs nothing of the server is left in the caches, and interpreted code
 * touches far more of them. Requests to a model are all alike, so that a hundred show V8 what there is to see.
 */
const FLAGS = ['--invocation-count-for-turbofan=100', '--minimum-invocations-after-ic-update=50']

/** For processes that answer few requests: has V8 compile what they need early, in all threads. A V8 that does not know a flag says so on standard error and goes on. */
export function compileEarly(): void {
  for (const flag of FLAGS) setFlagsFromString(flag)
}
