import { predictionPage } from '../../../src/agent/monitor/prediction-export.ts'

/** The texts of a log's pages, one after the other, as somebody gets them who asks for them all. */
export function* loggedPredictions(path: string, format: 'csv' | 'jsonl'): Generator<string> {
  let page: { after: number; newest: number | null; done: boolean } = { after: 0, newest: null, done: false }
  while (!page.done) {
    const next = predictionPage(path, { format, after: page.after, newest: page.newest })
    yield next.text
    page = next
  }
}
