import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import type { DeviceLink } from '../../../contract/device-link.ts'
import { startedWith } from '../../backend/started-jobs.ts'
import { useActiveJobs } from '../../backend/use-jobs.ts'
import detailClasses from '../../components/detail.module.css'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { DeviceBenchmarks } from './device-benchmarks.tsx'
import { DeviceLive } from './device-live.tsx'
import { DevicePorts } from './device-ports.tsx'
import { DeviceReconnecting } from './device-reconnecting.tsx'
import { ReviewPanel } from './review-panel.tsx'
import type { UseConnect } from './use-connect.ts'

interface DeviceOverviewProps {
  readonly device: Device
  readonly link: DeviceLink | undefined
  readonly connect: UseConnect
  readonly onProbe: () => void
  readonly probing: boolean
  readonly probeError: Error | null
  readonly onDismissProbeError: () => void
  readonly onAddAgain: () => void
  readonly onShowLog: () => void
}

/** How a device does: what is wrong, what is being done, live values, what was measured on it, and its ports. */
export function DeviceOverview(props: DeviceOverviewProps) {
  const { device, link, connect, onProbe, probing, probeError, onDismissProbeError, onAddAgain, onShowLog } = props
  const preparing = useActiveJobs('devices.prepare').filter(({ id }) => startedWith(id, 'devices.prepare')?.id === device.id)
  const benchmarking = useActiveJobs('bench.start').filter(({ id }) => startedWith(id, 'bench.start')?.deviceId === device.id)
  // A refusal that is the reason of the failed link is said once, by the review.
  const failed = link?.state === 'failed'
  return (
    <div className={detailClasses.sections}>
      {connect.error && !failed ? <ErrorNotice error={connect.error} onClose={connect.reset} /> : null}
      {probeError && !failed ? <ErrorNotice error={probeError} onClose={onDismissProbeError} /> : null}
      <ReviewPanel
        device={device}
        link={link}
        pending={connect.pending}
        onTryAgain={connect.connect}
        onProbe={onProbe}
        probing={probing}
        onAddAgain={onAddAgain}
        onShowLog={onShowLog}
      />
      {link?.state === 'reconnecting' ? <DeviceReconnecting link={link} pending={connect.pending} onTryNow={connect.connect} /> : null}
      {[...preparing, ...benchmarking].map((job) => (
        <JobProgress key={job.id} job={job} />
      ))}
      <DeviceLive device={device} />
      <DeviceBenchmarks device={device} />
      {device.id === LOCAL_DEVICE_ID ? null : <DevicePorts device={device} />}
    </div>
  )
}
