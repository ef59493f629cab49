import type { DeviceLink } from '../../../contract/device-link.ts'
import { useNow } from '../../hooks/use-now.ts'
import { attemptText } from './attempt-text.ts'

/** When a broken link is tried again, counted down. */
export function NextAttempt({ link }: { link: Pick<DeviceLink, 'attempts' | 'nextAttemptAt'> }) {
  const now = useNow(500)
  return <span className="es-num">{attemptText(link, now)}</span>
}
