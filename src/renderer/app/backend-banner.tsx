import { Button, Loader } from '@mantine/core'
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react'
import { useBackendState } from '../backend/backend-state.tsx'
import { plainText } from '../format/plain-text.ts'
import classes from './backend-banner.module.css'

/** Says when the backend stopped, is being started, was started again, or cannot be started. */
export function BackendBanner() {
  const { state, reason, restart, dismiss } = useBackendState()
  const because = reason ? ` (${plainText(reason, 200)})` : ''
  if (state === 'failed') {
    return (
      <div className={`${classes.banner} ${classes.failed}`} role="alert" data-testid="backend-banner" data-state={state}>
        <IconPlugConnectedX size={16} aria-hidden />
        <span>The backend could not be started{because}. Nothing can be loaded or measured until Edgesmith is restarted.</span>
      </div>
    )
  }
  if (state === 'restarting' || state === 'starting') {
    return (
      <div className={classes.banner} role="status" data-testid="backend-banner" data-state={state}>
        <Loader size={14} />
        <span>{state === 'starting' ? 'The backend is starting.' : `The backend stopped${because} and is being started again.`}</span>
      </div>
    )
  }
  if (!restart) return null
  const jobs = restart.interruptedJobs
  const lost = jobs === 0 ? 'no job was running' : jobs === 1 ? '1 job was interrupted' : `${jobs} jobs were interrupted`
  return (
    <div className={classes.banner} role="status" data-testid="backend-banner" data-state="restarted">
      <IconAlertTriangle size={16} aria-hidden />
      <span>
        The backend stopped{because} and was started again; {lost}.
      </span>
      <Button variant="default" size="compact-xs" onClick={dismiss}>
        Dismiss
      </Button>
    </div>
  )
}
