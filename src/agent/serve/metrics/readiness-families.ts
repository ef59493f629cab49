import { isReady, type ServiceView } from '../service-view.ts'
import type { MetricFamily } from './metric-text.ts'

/** Whether predictions are answered, and how the threads are that run bigger models; of all versions that answer. */
export function readinessFamilies(view: ServiceView): MetricFamily[] {
  const pools = view.versions.answering.flatMap(({ id, placed: { pool } }) =>
    pool ? [{ labels: { model: view.service, version: id }, pool }] : [],
  )
  const ready: MetricFamily = {
    name: 'edgesmith_ready',
    help: '1 while predictions are answered, as GET /ready says.',
    type: 'gauge',
    samples: [{ labels: { model: view.service }, value: Number(isReady(view)) }],
  }
  if (pools.length === 0) return [ready]
  return [
    ready,
    {
      name: 'edgesmith_model_threads',
      help: 'Threads that run the model and are alive.',
      type: 'gauge',
      samples: pools.map(({ labels, pool }) => ({ labels, value: pool.readyThreads })),
    },
    {
      name: 'edgesmith_model_thread_ends_total',
      help: 'Threads that ran the model and died; they are started again.',
      type: 'counter',
      samples: pools.map(({ labels, pool }) => ({ labels, value: pool.threadEnds })),
    },
  ]
}
