import { type ServiceEvent, serviceEventSchema } from '../../contract/routing.ts'
import { parseJson } from '../../core/parse-json.ts'
import { readIfThere } from '../../platform/read-file.ts'
import { eventFileLimit } from './event-file.ts'

/** The newest ones, oldest first; lines that were cut off are left out. */
export async function readEvents(path: string, most: number): Promise<ServiceEvent[]> {
  const text = await readIfThere(path, eventFileLimit)
  if (text === null) return []
  const events: ServiceEvent[] = []
  for (const line of text.split('\n').reverse()) {
    if (events.length >= most) break
    const event = eventIn(line)
    if (event) events.push(event)
  }
  return events.reverse()
}

function eventIn(line: string): ServiceEvent | null {
  if (line === '') return null
  return serviceEventSchema.safeParse(parseJson(line)).data ?? null
}
